// What became of the tries to start a Pod's containers (and its sandbox): why one waits, and when it may be tried again.

import type { ContainerStateWaiting } from '../../../api';
import type { Clock } from '../../../kit';
import type { StartFailure } from './container-starter';
import { RestartBackoff } from './restart-backoff';

export class StartAttempts {
  private readonly restarts = new RestartBackoff();
  private readonly failures = new Map<string, ContainerStateWaiting>();
  private readonly retryAt = new Map<string, number>();

  /** `idleMs` is the wait after a failure that says nothing of when another try makes sense. */
  constructor(
    private readonly clock: Clock,
    private readonly idleMs: number,
  ) {}

  /** Waiting states of the containers that did not start, by name. */
  get waiting(): ReadonlyMap<string, ContainerStateWaiting> {
    return this.failures;
  }

  /** Not the first start of a container: the next one has to wait longer. */
  countRestart(name: string): void {
    this.restarts.next(name, this.clock.now());
  }

  /** How long a container that ended at `since` has to wait for its restart. */
  backoff(name: string, since: number): { waitMs: number; delayMs: number } {
    return this.restarts.remaining(name, { since, now: this.clock.now() });
  }

  mustWait(name: string): boolean {
    return (this.retryAt.get(name) ?? 0) > this.clock.now();
  }

  succeeded(name: string): void {
    this.failures.delete(name);
    this.retryAt.delete(name);
  }

  /** True when the attempt left a container behind, so that a new plan decides on what follows. */
  failed(name: string, failure: StartFailure): boolean {
    this.failures.set(name, failure.waiting);
    if (failure.retryInMs === 0) {
      this.retryAt.delete(name);
      return true;
    }
    this.postpone(name, failure.retryInMs ?? this.idleMs);
    return false;
  }

  postpone(name: string, ms: number): void {
    this.retryAt.set(name, this.clock.now() + ms);
  }

  /** Nothing stands in the way of trying `name` now. */
  clear(name: string): void {
    this.retryAt.delete(name);
  }

  /** A new sandbox: every container starts afresh. */
  forgetFailures(): void {
    this.failures.clear();
  }

  /** Milliseconds until something may be tried again. */
  nextInMs(): number {
    const now = this.clock.now();
    return Math.min(this.idleMs, ...[...this.retryAt.values()].map((at) => Math.max(0, at - now)));
  }
}
