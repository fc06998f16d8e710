// Keeps one control plane process of one cluster running. Walk-through: start() launches it and waits for "ready";
// kill -9 → its exit is seen at once → launched again after 100 ms, 200 ms, … at most 10 s apart, until it stays up;
// stop() asks, then SIGTERM, then SIGKILL, each with a deadline. Invariant: never two processes of one supervisor.

import { Backoff, type Clock, type Logger, messageOf, PilothouseError, sleep, systemClock } from '../../kit';
import { within } from '../../machines';
import type { ControlPlaneConfig, ControlPlaneProcess, FromControlPlane, LaunchControlPlane } from './protocol';

export interface SupervisorOptions {
  cluster: string;
  outputFile: string;
  launch: LaunchControlPlane;
  /** Asked at every launch, so that a renewed certificate is used. */
  config: () => Promise<ControlPlaneConfig>;
  logger: Logger;
  onChange: () => void;
  clock?: Clock;
  deadlines?: Partial<SupervisorDeadlines>;
}

export interface SupervisorDeadlines {
  /** The first start as a whole. */
  startMs: number;
  /** One launch until its "ready". */
  readyMs: number;
  stopMs: number;
  terminateMs: number;
  killMs: number;
}

const usualDeadlines: SupervisorDeadlines = {
  startMs: 45_000,
  readyMs: 30_000,
  stopMs: 15_000,
  terminateMs: 5_000,
  killMs: 5_000,
};

/** How long it must stay up for its earlier crashes to be forgotten. */
const stableMs = 30_000;
const backoffKey = 'control-plane';

export interface SupervisorView {
  state: 'stopped' | 'starting' | 'running' | 'restarting' | 'failed';
  pid?: number;
  restarts: number;
  failure?: string;
}

export class ControlPlaneSupervisor {
  private readonly clock: Clock;
  private readonly deadlines: SupervisorDeadlines;
  private readonly backoff = new Backoff<string>({ baseMs: 100, maxMs: 10_000 });
  private current: SupervisorView = { state: 'stopped', restarts: 0 };
  private child: ControlPlaneProcess | undefined;
  private childExit: Promise<string> | undefined;
  private running: { abort: AbortController; ready: Promise<void>; ended: Promise<void> } | undefined;

  constructor(private readonly options: SupervisorOptions) {
    this.clock = options.clock ?? systemClock;
    this.deadlines = { ...usualDeadlines, ...options.deadlines };
  }

  view(): SupervisorView {
    return this.current;
  }

  /** Resolves when it answers its API; joins a start under way. Error CONTROL_PLANE_FAILED or what the child said. */
  start(): Promise<void> {
    if (this.running) return this.running.ready;
    const abort = new AbortController();
    let ended: Promise<void> = Promise.resolve();
    const ready = new Promise<void>((resolve, reject) => {
      this.change({ state: 'starting', restarts: 0 });
      ended = this.supervise({ signal: abort.signal, onReady: resolve, onFailed: reject });
    });
    this.running = { abort, ready, ended };
    return ready;
  }

  /** Resolves when no process of it is left. */
  async stop(): Promise<void> {
    const running = this.running;
    if (!running) return;
    running.abort.abort(new PilothouseError({ code: 'STOPPED', message: 'the control plane was stopped' }));
    await this.endChild();
    await running.ended;
    if (this.running === running) this.running = undefined;
    this.change({ state: 'stopped', restarts: 0 });
  }

  private change(view: SupervisorView): void {
    this.current = view;
    this.options.onChange();
  }

  /** Launches until stopped, or until the first start has failed for good. */
  private async supervise(run: {
    signal: AbortSignal;
    onReady: () => void;
    onFailed: (error: unknown) => void;
  }): Promise<void> {
    const { logger } = this.options;
    const firstDeadline = this.clock.now() + this.deadlines.startMs;
    let wasReady = false;
    let restarts = 0;
    while (!run.signal.aborted) {
      let failure: string;
      try {
        await this.launchUntilReady(run.signal);
        const since = this.clock.now();
        wasReady = true;
        this.change({ state: 'running', pid: this.child?.pid, restarts });
        run.onReady();
        failure = `the control plane process ended unexpectedly (${await this.childExit})`;
        if (this.clock.now() - since > stableMs) this.backoff.forget(backoffKey);
      } catch (error) {
        failure = messageOf(error);
        await this.endChild();
        const retryable = error instanceof PilothouseError && error.retryable;
        if (!wasReady && (!retryable || this.clock.now() > firstDeadline || run.signal.aborted)) {
          this.running = undefined;
          if (!run.signal.aborted) this.change({ state: 'failed', restarts, failure });
          run.onFailed(run.signal.aborted ? run.signal.reason : error);
          return;
        }
      }
      if (run.signal.aborted) return;
      restarts++;
      logger.warn('the control plane is started again', { reason: failure, restarts });
      this.change({ state: wasReady ? 'restarting' : 'starting', restarts, failure });
      try {
        await sleep(this.backoff.next(backoffKey), { signal: run.signal, clock: this.clock });
      } catch (reason) {
        run.onFailed(reason);
        return;
      }
    }
    run.onFailed(run.signal.reason);
  }

  private async launchUntilReady(signal: AbortSignal): Promise<void> {
    const config = await this.options.config();
    if (signal.aborted) throw signal.reason;
    const child = this.options.launch({ cluster: this.options.cluster, outputFile: this.options.outputFile });
    this.child = child;
    this.childExit = new Promise((resolve) => {
      child.onExit((how) => {
        if (this.child === child) this.child = undefined;
        resolve(how);
      });
    });
    const exit = this.childExit;
    await within(
      {
        ms: this.deadlines.readyMs,
        late: 'the control plane was not ready',
        hint: `See ${config.logFile}.`,
        clock: this.clock,
      },
      () =>
        new Promise<void>((resolve, reject) => {
          child.onMessage((message) => (message.type === 'ready' ? resolve() : reject(startFailure(message))));
          void exit.then((how) => reject(exitFailure(how, this.options.outputFile)));
          child.send({ type: 'start', config });
        }),
    );
  }

  private async endChild(): Promise<void> {
    const { child, childExit } = this;
    if (!child || !childExit) return;
    const steps: { ms: number; act: () => void }[] = [
      { ms: this.deadlines.stopMs, act: () => child.send({ type: 'stop' }) },
      { ms: this.deadlines.terminateMs, act: () => child.kill('SIGTERM') },
      { ms: this.deadlines.killMs, act: () => child.kill('SIGKILL') },
    ];
    for (const { ms, act } of steps) {
      act();
      const ended = await Promise.race([
        childExit.then(() => true),
        sleep(ms, { clock: this.clock }).then(() => false),
      ]);
      if (ended) return;
      this.options.logger.warn('the control plane does not end when asked', { pid: child.pid, waitedMs: ms });
    }
  }
}

function startFailure(message: Extract<FromControlPlane, { type: 'failed' }>): PilothouseError {
  return new PilothouseError({
    code: message.code,
    message: message.message,
    hint: message.hint,
    details: message.details,
    retryable: message.retryable,
  });
}

function exitFailure(how: string, outputFile: string): PilothouseError {
  return new PilothouseError({
    code: 'CONTROL_PLANE_FAILED',
    message: `the control plane process ended before it was ready (${how})`,
    hint: `See ${outputFile} and control-plane.log beside it.`,
    retryable: true,
  });
}
