import { describe, expect, it } from 'vitest';
import { type Clock, PilothouseError } from '../../kit';
import { type Machine, provisioningSteps, type StepReport } from '../machine';
import { allSteps } from '.';
import { runSteps } from './run-steps';
import type { ProvisioningStep, StepContext } from './step';

const machine = { spec: { name: 'node-1' } } as Machine;
const context = { machine, done: { credentialsChanged: false } } as Omit<StepContext, 'detail' | 'signal'>;

/** Time that passes only when the test says so. */
function manualClock(): Clock & { fire(): void } {
  const callbacks = new Set<() => void>();
  return {
    now: () => 0,
    after(_ms, callback) {
      callbacks.add(callback);
      return () => void callbacks.delete(callback);
    },
    fire: () => {
      for (const callback of callbacks) callback();
    },
  };
}

function step(name: ProvisioningStep['name'], body: Partial<ProvisioningStep>): ProvisioningStep {
  return {
    name,
    title: name,
    deadlineMs: 1000,
    late: (late) => `${name} of ${late} was not done`,
    hint: () => `hint of ${name}`,
    check: async () => false,
    run: async () => {},
    ...body,
  };
}

async function run(steps: ProvisioningStep[], signal = new AbortController().signal, clock = manualClock()) {
  const reports: StepReport[] = [];
  const error = await runSteps({ steps, context, signal, clock, report: (report) => reports.push(report) }).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  return {
    reports,
    error,
    lines: reports.map(({ step, status, detail }) => [step, status, detail].filter(Boolean).join(' ')),
  };
}

describe('runSteps', () => {
  it('has the steps the contract names, in its order', () => {
    expect(allSteps.map(({ name }) => name)).toEqual([...provisioningSteps]);
  });

  it('skips what is already true and reports details', async () => {
    const { lines, error } = await run([
      step('image', { check: async () => true, run: async () => Promise.reject(new Error('must not run')) }),
      step('disk', { run: async ({ detail }) => detail('making it') }),
    ]);
    expect(error).toBeUndefined();
    expect(lines).toEqual(['image running', 'image skipped', 'disk running', 'disk running making it', 'disk done']);
  });

  it('stops at a failure, tells command and output, and fills in the hint of the step', async () => {
    const thrown = new PilothouseError({
      code: 'COMMAND_FAILED',
      message: 'no',
      details: { command: 'false', exitCode: 1, outputTail: 'boom' },
    });
    const { reports, error } = await run([step('disk', { run: () => Promise.reject(thrown) }), step('boot', {})]);
    expect(error).toBe(thrown);
    expect(reports.at(-1)).toMatchObject({
      step: 'disk',
      status: 'failed',
      failure: { code: 'COMMAND_FAILED', hint: 'hint of disk', command: 'false', exitCode: 1, outputTail: 'boom' },
    });
  });

  it('continues from the failed step when run again', async () => {
    let broken = true;
    const ran: string[] = [];
    const done = new Set<string>();
    const steps = (['image', 'disk'] as const).map((name) =>
      step(name, {
        check: async () => done.has(name),
        run: async () => {
          ran.push(name);
          if (name === 'disk' && broken) throw new Error('full');
          done.add(name);
        },
      }),
    );
    await run(steps);
    broken = false;
    const { lines } = await run(steps);
    expect(ran).toEqual(['image', 'disk', 'disk']);
    expect(lines).toContain('image skipped');
  });

  it('fails a step at its deadline and tells its signal', async () => {
    const clock = manualClock();
    let told = false;
    const hanging = step('boot', {
      run: ({ signal }) =>
        new Promise(() => {
          signal.addEventListener('abort', () => {
            told = true;
          });
          queueMicrotask(() => clock.fire());
        }),
    });
    const { reports } = await run([hanging], undefined, clock);
    expect(reports.at(-1)?.failure).toMatchObject({
      code: 'DEADLINE_EXCEEDED',
      message: 'boot of node-1 was not done within 1 s',
      hint: 'hint of boot',
    });
    expect(told).toBe(true);
  });

  it('tells the end of the machine instead of the connection that was lost with it', async () => {
    const lost = new PilothouseError({ code: 'SSH_CONNECTION_LOST', message: 'the connection was lost' });
    const gone = {
      ...context,
      machine: { spec: { name: 'node-1' }, state: () => 'failed' } as Machine,
      driver: { consoleTail: () => 'Kernel panic' } as StepContext['driver'],
    };
    const reports: StepReport[] = [];
    const running = runSteps({
      steps: [step('packages', { run: () => Promise.reject(lost) })],
      context: gone,
      signal: new AbortController().signal,
      report: (report) => reports.push(report),
    });
    await expect(running).rejects.toMatchObject({ code: 'MACHINE_EXITED' });
    expect(reports.at(-1)?.failure).toMatchObject({
      message: 'the machine node-1 ended meanwhile',
      outputTail: 'Kernel panic',
    });
  });

  it('adds what the step knew at its deadline, and the log that tells more', async () => {
    const clock = manualClock();
    const waiting = step('ready', {
      run: ({ signal }) =>
        new Promise((_, reject) => {
          signal.addEventListener('abort', () => reject(new Error('no heartbeat yet')));
          queueMicrotask(() => clock.fire());
        }),
      diagnose: async () => ({ command: 'journalctl', outputTail: 'connection refused' }),
    });
    const { reports } = await run([waiting], undefined, clock);
    expect(reports.at(-1)?.failure).toMatchObject({
      message: 'ready of node-1 was not done within 1 s: no heartbeat yet',
      command: 'journalctl',
      outputTail: 'connection refused',
    });
  });

  it('ends at once when aborted, and later details of that step are not reported', async () => {
    const controller = new AbortController();
    let late: ((text: string) => void) | undefined;
    const { reports } = await run(
      [
        step('ssh', {
          run: ({ detail }) => {
            late = detail;
            queueMicrotask(() => controller.abort());
            return new Promise(() => {});
          },
        }),
        step('packages', {}),
      ],
      controller.signal,
    );
    late?.('too late');
    expect(reports.map(({ status }) => status)).toEqual(['running', 'failed']);
    expect(reports.at(-1)?.failure?.code).toBe('ABORTED');
  });
});
