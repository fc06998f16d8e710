// Runs the steps of one machine in order: checked first, skipped when already true, each with its deadline, each reported.
// Because every step checks, running again after a failure continues where it stopped.

import { type Clock, messageOf, PilothouseError, sleep, systemClock } from '../../kit';
import { tailOf } from '../command';
import { commandName } from '../command-name';
import { within } from '../duration';
import type { StepFailure, StepReport } from '../machine';
import type { Diagnosis, ProvisioningStep, StepContext } from './step';

export interface RunStepsOptions {
  steps: readonly ProvisioningStep[];
  context: Omit<StepContext, 'detail' | 'signal'>;
  signal: AbortSignal;
  report: (report: StepReport) => void;
  clock?: Clock;
}

const interruptions = new Set(['ABORTED', 'INTERRUPTED']);

/** What a person is shown of any error, with the step's hint when the error has none. */
export function failureOf(error: unknown, step: { hint: string }): StepFailure {
  if (!(error instanceof PilothouseError)) return { code: 'INTERNAL', message: messageOf(error), hint: step.hint };
  const { command, exitCode, outputTail } = error.details;
  return {
    code: error.code,
    message: error.message,
    // Who interrupted it knows why: what usually fails here is no advice then.
    hint: error.hint ?? (interruptions.has(error.code) ? 'Retry goes on from this step.' : step.hint),
    command: typeof command === 'string' ? command : undefined,
    exitCode: typeof exitCode === 'number' ? exitCode : undefined,
    outputTail: typeof outputTail === 'string' ? outputTail : undefined,
  };
}

function rejectOnAbort(signal: AbortSignal): { promise: Promise<never>; release: () => void } {
  let onAbort = () => {};
  const promise = new Promise<never>((_, reject) => {
    onAbort = () => reject(abortedError(signal));
    signal.addEventListener('abort', onAbort, { once: true });
  });
  return { promise, release: () => signal.removeEventListener('abort', onAbort) };
}

function abortedError(signal: AbortSignal): PilothouseError {
  if (signal.reason instanceof PilothouseError) return signal.reason;
  return new PilothouseError({
    code: 'ABORTED',
    message: 'interrupted before it was done',
    hint: 'Retry continues from this step.',
    cause: signal.reason,
    retryable: true,
  });
}

/** Throws the failed step's error after reporting it; a step that fails leaves the later ones unreported. */
export async function runSteps(options: RunStepsOptions): Promise<void> {
  const clock = options.clock ?? systemClock;
  const machine = options.context.machine.spec.name;
  for (const step of options.steps) {
    const base = { machine, step: step.name, startedAt: clock.now() };
    let finished = false;
    const send = (report: Pick<StepReport, 'status' | 'detail' | 'failure'>) => {
      if (finished) return;
      finished = report.status !== 'running';
      options.report({ ...base, ...report, finishedAt: finished ? clock.now() : undefined });
    };
    send({ status: 'running' });
    const abort = rejectOnAbort(options.signal);
    try {
      if (options.signal.aborted) throw abortedError(options.signal);
      const work = runStep(step, { ...options, clock, detail: (detail) => send({ status: 'running', detail }) });
      send({ status: await Promise.race([work, abort.promise]) });
    } catch (thrown) {
      const error = options.signal.aborted ? thrown : await exitOf(options.context, thrown);
      const failure = failureOf(error, { hint: step.hint(machine) });
      const diagnosis = options.signal.aborted || failure.outputTail ? undefined : await diagnose(step, options);
      send({ status: 'failed', failure: { ...failure, ...diagnosis } });
      throw error;
    } finally {
      abort.release();
    }
  }
}

/** One step within its deadline. What the step itself says when its time is over tells why: it is added to the error. */
async function runStep(
  step: ProvisioningStep,
  options: RunStepsOptions & { clock: Clock; detail: (text: string) => void },
): Promise<'done' | 'skipped'> {
  const machine = options.context.machine.spec.name;
  const own: { words?: string } = {};
  try {
    return await within(
      { ms: step.deadlineMs, late: step.late(machine), hint: step.hint(machine), clock: options.clock },
      async (deadline) => {
        const signal = AbortSignal.any([deadline, options.signal]);
        const context = { ...options.context, signal, detail: options.detail };
        try {
          if (await step.check(context)) return 'skipped';
          await step.run(context);
          return 'done';
        } catch (error) {
          if (deadline.aborted && error !== deadline.reason) own.words = messageOf(error);
          throw error;
        }
      },
    );
  } catch (error) {
    if (!(error instanceof PilothouseError) || error.code !== 'DEADLINE_EXCEEDED') throw error;
    // The work hears of its deadline at the same moment as we do.
    await new Promise((resolve) => setImmediate(resolve));
    if (own.words === undefined) throw error;
    throw new PilothouseError({
      code: error.code,
      message: `${error.message}: ${own.words}`,
      hint: error.hint,
      cause: error,
      retryable: true,
    });
  }
}

const exitSeenMs = 3_000;

/** A lost connection is the machine's end when the machine has ended, which is seen a moment later. */
async function exitOf({ machine, driver }: RunStepsOptions['context'], error: unknown): Promise<unknown> {
  if (!(error instanceof PilothouseError) || error.code !== 'SSH_CONNECTION_LOST') return error;
  const ended = () => machine.state() === 'failed' || machine.state() === 'stopped';
  for (const until = Date.now() + exitSeenMs; !ended() && Date.now() < until; ) await sleep(100);
  if (!ended()) return error;
  return new PilothouseError({
    code: 'MACHINE_EXITED',
    message: `the machine ${machine.spec.name} ended meanwhile`,
    hint: `Retry starts it again. What it printed: ${commandName()} logs console ${machine.spec.name}`,
    cause: error,
    details: { outputTail: tailOf(driver.consoleTail(), 10) },
    retryable: true,
  });
}

const diagnosisDeadlineMs = 15_000;

/** The log that tells more of a failure, when it can be had: the machine may be gone, and that is what failed then. */
async function diagnose(step: ProvisioningStep, options: RunStepsOptions): Promise<Partial<Diagnosis>> {
  if (!step.diagnose) return {};
  const work = step.diagnose;
  const late = `the log of ${options.context.machine.spec.name} could not be read`;
  try {
    return await within({ ms: diagnosisDeadlineMs, late }, (signal) =>
      work({ ...options.context, signal, detail: () => undefined }),
    );
  } catch (error) {
    return { outputTail: `(${messageOf(error)})` };
  }
}
