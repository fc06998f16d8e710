// Leases for objects that expire (Events): many objects share one lease, a new one is begun once a minute, so that an
// object lives at least its time and at most a minute longer.

import { type Clock, systemClock } from '../../kit';
import type { Store } from '../../store';

const bucketMs = 60_000;

export class LeaseBuckets {
  private current: { lease: Promise<bigint>; until: number } | undefined;

  constructor(private readonly options: { store: Store; ttlSeconds: number; clock?: Clock }) {}

  lease(): Promise<bigint> {
    const now = (this.options.clock ?? systemClock).now();
    if (this.current && now < this.current.until) return this.current.lease;
    const granted = this.options.store.grantLease({ ttlSeconds: this.options.ttlSeconds + bucketMs / 1000 });
    const bucket = { lease: granted.then(({ id }) => id), until: now + bucketMs };
    this.current = bucket;
    return bucket.lease.catch((error: unknown) => {
      if (this.current === bucket) this.current = undefined;
      throw error;
    });
  }
}
