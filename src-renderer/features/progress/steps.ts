// Reads machine steps: how far all is, which machine to look at, what failed.

import type { MachineView, StepFailureView, StepView } from '../../../src-main/contract';

const finished = (step: StepView) => step.status === 'done' || step.status === 'skipped';

export interface Overall {
  done: number;
  total: number;
  /** Milliseconds since the epoch: first step begun, last step ended. */
  startedAt?: number;
  finishedAt?: number;
}

export function overallOf(machines: readonly MachineView[]): Overall {
  const steps = machines.flatMap((machine) => machine.steps);
  const starts = steps.flatMap((step) => step.startedAt ?? []);
  const ends = steps.flatMap((step) => step.finishedAt ?? []);
  return {
    done: steps.filter(finished).length,
    total: steps.length,
    startedAt: starts.length ? Math.min(...starts) : undefined,
    finishedAt: ends.length ? Math.max(...ends) : undefined,
  };
}

export interface FailedStep {
  machine: string;
  step: StepView;
  failure: StepFailureView;
}

export function failuresOf(machines: readonly MachineView[]): FailedStep[] {
  return machines.flatMap((machine) =>
    machine.steps.flatMap((step) =>
      step.status === 'failed'
        ? [{ machine: machine.name, step, failure: step.failure ?? { code: 'UNKNOWN', message: step.detail ?? '' } }]
        : [],
    ),
  );
}

/** The machine worth watching: the one that failed, else the first that is at work. */
export function focusOf(machines: readonly MachineView[]): MachineView | undefined {
  const having = (status: StepView['status']) =>
    machines.find((machine) => machine.steps.some((step) => step.status === status));
  return having('failed') ?? having('running');
}

/** How long a step has taken so far, or took; undefined before it begins. */
export function elapsedOf(step: StepView, now: number): number | undefined {
  if (step.startedAt === undefined || step.status === 'skipped' || step.status === 'pending') return undefined;
  return Math.max(0, (step.finishedAt ?? now) - step.startedAt);
}
