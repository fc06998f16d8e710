import { describe, expect, it, vi } from 'vitest';
import { silentLogger } from '../../kit';
import type { ControlPlaneConfig, ControlPlaneProcess, FromControlPlane, ToControlPlane } from './protocol';
import { ControlPlaneSupervisor } from './supervisor';

const config = { logFile: 'log' } as ControlPlaneConfig;

class FakeProcess implements ControlPlaneProcess {
  readonly sent: ToControlPlane[] = [];
  readonly signals: string[] = [];
  private messageListener: (message: FromControlPlane) => void = () => {};
  private exitListener: (how: string) => void = () => {};

  constructor(
    readonly pid: number,
    private readonly behaviour: { onStart?: FromControlPlane; stops?: 'asked' | 'SIGTERM' | 'SIGKILL' },
  ) {}

  send(message: ToControlPlane): void {
    this.sent.push(message);
    const { onStart, stops = 'asked' } = this.behaviour;
    if (message.type === 'start' && onStart) queueMicrotask(() => this.messageListener(onStart));
    if (message.type === 'stop' && stops === 'asked') queueMicrotask(() => this.exit('exit code 0'));
  }
  onMessage(listener: (message: FromControlPlane) => void): void {
    this.messageListener = listener;
  }
  onExit(listener: (how: string) => void): void {
    this.exitListener = listener;
  }
  kill(signal: 'SIGTERM' | 'SIGKILL'): void {
    this.signals.push(signal);
    if (this.behaviour.stops === signal) queueMicrotask(() => this.exit(`ended by ${signal}`));
  }
  exit(how: string): void {
    this.exitListener(how);
  }
}

function supervise(behaviours: ConstructorParameters<typeof FakeProcess>[1][]) {
  const processes: FakeProcess[] = [];
  const states: string[] = [];
  const supervisor: ControlPlaneSupervisor = new ControlPlaneSupervisor({
    cluster: 'default',
    outputFile: 'output',
    launch: () => {
      const process = new FakeProcess(100 + processes.length, behaviours[processes.length] ?? behaviours.at(-1)!);
      processes.push(process);
      return process;
    },
    config: () => Promise.resolve(config),
    logger: silentLogger,
    onChange: () => states.push(supervisor.view().state),
    deadlines: { startMs: 500, readyMs: 50, stopMs: 5, terminateMs: 5, killMs: 5 },
  });
  return { supervisor, processes, states };
}

const ready: FromControlPlane = { type: 'ready', port: 6443 };

describe('ControlPlaneSupervisor', () => {
  it('is running once the child says ready, and stops when asked', async () => {
    const { supervisor, processes, states } = supervise([{ onStart: ready }]);
    await supervisor.start();
    expect(supervisor.view()).toMatchObject({ state: 'running', pid: 100, restarts: 0 });
    await supervisor.stop();
    expect(states).toEqual(['starting', 'running', 'stopped']);
    expect(processes[0]!.signals).toEqual([]);
  });

  it('starts a killed child again and counts it', async () => {
    const { supervisor, processes } = supervise([{ onStart: ready }]);
    await supervisor.start();
    processes[0]!.exit('ended by SIGKILL');
    await vi.waitFor(() => expect(supervisor.view()).toMatchObject({ state: 'running', pid: 101, restarts: 1 }));
    await supervisor.stop();
  });

  it('joins a start under way', async () => {
    const { supervisor, processes } = supervise([{ onStart: ready }]);
    await Promise.all([supervisor.start(), supervisor.start()]);
    expect(processes).toHaveLength(1);
    await supervisor.stop();
  });

  it('fails with what the child said when trying again is useless', async () => {
    const failed: FromControlPlane = { type: 'failed', code: 'STORE_CORRUPT', message: 'bad page', retryable: false };
    const { supervisor } = supervise([{ onStart: failed }]);
    await expect(supervisor.start()).rejects.toMatchObject({ code: 'STORE_CORRUPT' });
    expect(supervisor.view()).toMatchObject({ state: 'failed', failure: 'bad page' });
  });

  it('tries again while the store is still held by a dying predecessor', async () => {
    const busy: FromControlPlane = { type: 'failed', code: 'ALREADY_RUNNING', message: 'in use', retryable: true };
    const { supervisor, processes } = supervise([{ onStart: busy }, { onStart: ready }]);
    await supervisor.start();
    expect(processes).toHaveLength(2);
    await supervisor.stop();
  });

  it('goes from asking to SIGTERM to SIGKILL', async () => {
    const { supervisor, processes } = supervise([{ onStart: ready, stops: 'SIGKILL' }]);
    await supervisor.start();
    await supervisor.stop();
    expect(processes[0]!.signals).toEqual(['SIGTERM', 'SIGKILL']);
    expect(supervisor.view().state).toBe('stopped');
  });

  it('rejects the start when stopped before ready', async () => {
    const { supervisor } = supervise([{}]);
    const start = supervisor.start();
    const outcome = expect(start).rejects.toMatchObject({ code: 'STOPPED' });
    await supervisor.stop();
    await outcome;
    expect(supervisor.view().state).toBe('stopped');
  });
});
