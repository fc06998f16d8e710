// Runs the steps of one machine in order: checked first, skipped when already true, each with its deadline, each reported.
// Because every step checks, running again after a failure continues where it stopped.

import { type Clock, messageOf, PilothouseError, systemClock, withDeadline } from '../../kit';
import type { StepFailure, StepReport } from '../machine';
import type { ProvisioningStep, StepContext } from './step';

export interface RunStepsOptions {
  steps: readonly ProvisioningStep[];
  context: Omit<StepContext, 'detail' | 'signal'>;
  signal: AbortSignal;
  report: (report: StepReport) => void;
  clock?: Clock;
}

/** What a person is shown of any error, with the step's hint when the error has none. */
export function failureOf(error: unknown, step: ProvisioningStep): StepFailure {
  if (!(error instanceof PilothouseError)) return { code: 'INTERNAL', message: messageOf(error), hint: step.hint };
  const { command, exitCode, outputTail } = error.details;
  return {
    code: error.code,
    message: error.message,
    hint: error.hint ?? step.hint,
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
      const what = `step ${step.name} of ${machine}`;
      const work = withDeadline({ ms: step.deadlineMs, what, hint: step.hint, clock }, async (deadline) => {
        const signal = AbortSignal.any([deadline, options.signal]);
        const context = { ...options.context, signal, detail: (detail: string) => send({ status: 'running', detail }) };
        if (await step.check(context)) return 'skipped' as const;
        await step.run(context);
        return 'done' as const;
      });
      send({ status: await Promise.race([work, abort.promise]) });
    } catch (error) {
      send({ status: 'failed', failure: failureOf(error, step) });
      throw error;
    } finally {
      abort.release();
    }
  }
}
