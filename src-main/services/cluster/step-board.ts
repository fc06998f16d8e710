// What every machine of a cluster has got to: one row per step, there before any of them ran.

import { type StepView, stepNames } from '../../contract';
import type { StepReport } from '../../machines';

export class StepBoard {
  private readonly rows = new Map<string, StepView[]>();

  /** All steps of a machine back to pending. */
  reset(machine: string): void {
    this.rows.set(
      machine,
      stepNames.map((step) => ({ step, status: 'pending' })),
    );
  }

  record(report: StepReport): void {
    const { machine, ...view } = report;
    const rows = this.of(machine);
    const index = rows.findIndex((row) => row.step === report.step);
    // A step that goes on keeps the time it began.
    const startedAt = view.startedAt ?? (view.status === 'pending' ? undefined : rows[index]?.startedAt);
    const updated = rows.with(index, { ...view, startedAt });
    this.rows.set(machine, updated);
  }

  of(machine: string): StepView[] {
    if (!this.rows.has(machine)) this.reset(machine);
    return this.rows.get(machine)!;
  }

  failed(machine: string): StepView | undefined {
    return this.of(machine).find((row) => row.status === 'failed');
  }

  /** A failure that no step told of is shown on the step that was running, else on the next one. */
  fail(machine: string, failure: NonNullable<StepView['failure']>): void {
    if (this.failed(machine)) return;
    const rows = this.of(machine);
    const row = rows.find((item) => item.status === 'running') ?? rows.find((item) => item.status === 'pending');
    if (!row) return;
    const now = Date.now();
    this.record({
      machine,
      step: row.step,
      status: 'failed',
      startedAt: row.startedAt ?? now,
      finishedAt: now,
      failure,
    });
  }
}
