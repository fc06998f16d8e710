// Runs the probes of one running container by upstream's timing: first after initialDelaySeconds, then every
// periodSeconds; a verdict changes after successThreshold or failureThreshold equal results in a row. Liveness and
// readiness wait until the startup probe has succeeded.

import type { Probe } from '../../../api';
import type { Clock, Logger } from '../../../kit';
import { messageOf } from '../../../kit';

export type ProbeKind = 'liveness' | 'readiness' | 'startup';

export interface ProbeResult {
  ok: boolean;
  /** What an Unhealthy event says. */
  output: string;
}

export interface ProbeWorkerOptions {
  kind: ProbeKind;
  probe: Probe;
  startedAt: number;
  clock: Clock;
  logger: Logger;
  run(probe: Probe, signal: AbortSignal): Promise<ProbeResult>;
  /** False while the startup probe has not succeeded. */
  enabled(): boolean;
  onChange(): void;
  onFailure(output: string): void;
}

export class ProbeWorker {
  /** undefined = no verdict yet. */
  verdict: boolean | undefined;
  private streak = 0;
  private last: boolean | undefined;
  private cancelTimer = () => {};
  private readonly stopping = new AbortController();

  constructor(private readonly options: ProbeWorkerOptions) {
    const { probe, startedAt, clock, kind } = options;
    if (kind === 'liveness') this.verdict = true;
    const first = startedAt + (probe.initialDelaySeconds ?? 0) * 1000 - clock.now();
    this.schedule(Math.max(0, first));
  }

  stop(): void {
    this.stopping.abort();
    this.cancelTimer();
  }

  private get periodMs(): number {
    return Math.max(1, this.options.probe.periodSeconds ?? 10) * 1000;
  }

  private schedule(ms: number): void {
    if (this.stopping.signal.aborted) return;
    this.cancelTimer = this.options.clock.after(ms, () => {
      this.tick().catch((error: unknown) =>
        this.options.logger.error('probe worker failed', { error: messageOf(error) }),
      );
    });
  }

  private async tick(): Promise<void> {
    const { kind, probe, run, enabled, clock } = this.options;
    const begun = clock.now();
    if (kind === 'startup' ? this.verdict !== true : enabled()) {
      const result = await run(probe, this.stopping.signal).catch((error: unknown) => ({
        ok: false,
        output: messageOf(error),
      }));
      if (this.stopping.signal.aborted) return;
      this.note(result);
    } else if (kind === 'startup') return;
    this.schedule(Math.max(0, this.periodMs - (clock.now() - begun)));
  }

  private note(result: ProbeResult): void {
    const { probe, onChange, onFailure } = this.options;
    this.streak = result.ok === this.last ? this.streak + 1 : 1;
    this.last = result.ok;
    if (!result.ok) onFailure(result.output);
    const needed = result.ok ? (probe.successThreshold ?? 1) : (probe.failureThreshold ?? 3);
    if (this.streak < needed || this.verdict === result.ok) return;
    this.verdict = result.ok;
    onChange();
  }
}
