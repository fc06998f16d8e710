// The one timer behind all leases: it wakes for the earliest expiry and hands out what has run out.

import type { Clock } from '../kit';
import type { LeaseTable } from './lease-table';

export interface LeaseExpiryOptions {
  clock: Clock;
  leases: LeaseTable;
  /** Removes the leases; called again soon when it could not. */
  onExpired(ids: bigint[]): Promise<void>;
}

/** Timers of the platform overflow at 2^31 ms; the clock may also be set meanwhile. */
const longestWaitMs = 60_000;
/** The pause before leases that could not be removed are tried again, and the finest grain of expiry. */
const shortestWaitMs = 50;

export class LeaseExpiry {
  private cancel: (() => void) | undefined;
  private dueAt = Number.POSITIVE_INFINITY;
  private stopped = false;

  constructor(private readonly options: LeaseExpiryOptions) {}

  /** Sets the timer for the earliest expiry; to be called after every change of leases. */
  arm(): void {
    const { clock, leases } = this.options;
    const next = leases.nextExpiry();
    if (this.stopped || next === undefined) return;
    const now = clock.now();
    const wait = Math.min(Math.max(next - now, shortestWaitMs), longestWaitMs);
    if (now + wait >= this.dueAt) return;
    this.cancel?.();
    this.dueAt = now + wait;
    this.cancel = clock.after(wait, () => void this.wake());
  }

  stop(): void {
    this.stopped = true;
    this.cancel?.();
  }

  private async wake(): Promise<void> {
    const { clock, leases, onExpired } = this.options;
    this.cancel = undefined;
    this.dueAt = Number.POSITIVE_INFINITY;
    const expired = leases.expired(clock.now()).map((lease) => lease.id);
    if (expired.length > 0) await onExpired(expired);
    this.arm();
  }
}
