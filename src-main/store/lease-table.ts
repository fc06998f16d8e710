// The leases and the keys attached to them, as the writer sees them (ahead of the disk by at most the batch in flight).
// Expiry is wall-clock time, so that the remaining time survives a restart; a lease that ran out while the store was
// closed gets a short grace, because its owner could not keep it alive meanwhile.

import type { LeaseRecord } from './disk';
import type { Key } from './store';
import { StoreError } from './store-error';

export interface Lease extends LeaseRecord {
  readonly keys: Set<Key>;
}

/** etcd's bound on a lease's time to live, in seconds. */
export const maxLeaseTtlSeconds = 9_000_000_000;
const graceMs = 10_000;

export class LeaseTable {
  private readonly leases = new Map<bigint, Lease>();

  restore(records: readonly LeaseRecord[], now: number): void {
    for (const record of records) {
      const ttlMs = record.ttlSeconds * 1000;
      // A clock that was set back must not lengthen a lease beyond its time to live.
      const remaining = Math.min(Math.max(record.expiresAt - now, Math.min(graceMs, ttlMs)), ttlMs);
      this.leases.set(record.id, { ...record, expiresAt: now + remaining, keys: new Set() });
    }
  }

  has(id: bigint): boolean {
    return this.leases.has(id);
  }

  get(id: bigint): Lease | undefined {
    return this.leases.get(id);
  }

  /** Throws LEASE_NOT_FOUND. */
  require(id: bigint): Lease {
    const lease = this.leases.get(id);
    if (!lease) throw new StoreError('LEASE_NOT_FOUND', { details: { id: String(id) } });
    return lease;
  }

  all(): Lease[] {
    return [...this.leases.values()];
  }

  set(lease: Lease): void {
    this.leases.set(lease.id, lease);
  }

  delete(id: bigint): void {
    this.leases.delete(id);
  }

  /** Moves a key from one lease to another; 0n is none. */
  move(key: Key, from: bigint, to: bigint): void {
    if (from === to) return;
    if (from !== 0n) this.leases.get(from)?.keys.delete(key);
    if (to !== 0n) this.leases.get(to)?.keys.add(key);
  }

  expired(now: number): Lease[] {
    return this.all().filter((lease) => lease.expiresAt <= now);
  }

  /** The earliest expiry, undefined when there are no leases. */
  nextExpiry(): number | undefined {
    let earliest: number | undefined;
    for (const { expiresAt } of this.leases.values()) {
      if (earliest === undefined || expiresAt < earliest) earliest = expiresAt;
    }
    return earliest;
  }
}
