// Forgetting old revisions, as an API server does for its etcd: what is older than the kept history is compacted away,
// so that the store does not grow with every heartbeat.

import { type Clock, type Logger, messageOf } from '../../kit';
import type { Store } from '../../store';

export interface CompactionOptions {
  store: Pick<Store, 'revision' | 'compactRevision' | 'compact'>;
  /** Both the interval and the least age of what is forgotten. */
  keepMs: number;
  clock: Clock;
  logger: Logger;
}

/** Runs until the answered function is called. */
export function startCompaction(options: CompactionOptions): () => void {
  const { store, clock, logger, keepMs } = options;
  let seen = store.revision();
  let cancel = () => {};
  const compact = async () => {
    const target = seen;
    seen = store.revision();
    try {
      if (target > store.compactRevision() && target > 1) await store.compact(target);
    } catch (error) {
      logger.warn('the store was not compacted', { revision: target, reason: messageOf(error) });
    }
    cancel = clock.after(keepMs, () => void compact());
  };
  cancel = clock.after(keepMs, () => void compact());
  return () => cancel();
}
