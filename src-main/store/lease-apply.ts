// What a transaction does to leases: grant, keep alive, revoke, and their status.

import type { Batch } from './batch';
import { liveAt } from './key-index';
import { maxLeaseTtlSeconds } from './lease-table';
import type { LeaseStatus } from './store';
import { StoreError } from './store-error';

/** Errors: LEASE_EXISTS, LEASE_TTL_TOO_LARGE. A time to live below one second becomes one second. */
export function applyGrant(
  batch: Batch,
  request: { id: bigint; ttlSeconds: number; now: number },
): { id: bigint; ttlSeconds: number } {
  const { id, now } = request;
  if (request.ttlSeconds > maxLeaseTtlSeconds) throw new StoreError('LEASE_TTL_TOO_LARGE');
  if (batch.state.leases.has(id)) throw new StoreError('LEASE_EXISTS', { details: { id: String(id) } });
  const ttlSeconds = Math.max(1, request.ttlSeconds);
  batch.setLease({ id, ttlSeconds, expiresAt: now + ttlSeconds * 1000, keys: new Set() });
  return { id, ttlSeconds };
}

export function applyKeepAlive(batch: Batch, id: bigint, now: number): { ttlSeconds: number } {
  const lease = batch.state.leases.require(id);
  batch.setLease({ ...lease, expiresAt: now + lease.ttlSeconds * 1000 });
  return { ttlSeconds: lease.ttlSeconds };
}

/** Deletes the keys of the lease, in key order, in the revision of this transaction, and the lease. */
export function applyRevoke(batch: Batch, id: bigint): { revision: number } {
  const lease = batch.state.leases.require(id);
  for (const key of [...lease.keys].sort()) {
    const entry = batch.state.index.get(key);
    const version = entry && liveAt(entry, batch.writing);
    if (version) batch.delete(key, version);
  }
  batch.removeLease(lease);
  return { revision: batch.answering };
}

export function leaseStatus(batch: Batch, id: bigint, now: number): LeaseStatus {
  const lease = batch.state.leases.require(id);
  return {
    id,
    grantedSeconds: lease.ttlSeconds,
    remainingSeconds: Math.max(0, Math.floor((lease.expiresAt - now) / 1000)),
    keys: [...lease.keys].sort(),
  };
}
