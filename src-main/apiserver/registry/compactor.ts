// Forgets old revisions: every five minutes, what was superseded five minutes before, as upstream's API server does for
// its etcd. Watches and lists in pages thus have at least that long.

import { type Clock, type Logger, messageOf, PilothouseError, systemClock } from '../../kit';
import type { Store } from '../../store';

const intervalMs = 5 * 60_000;

export interface CompactorOptions {
  store: Pick<Store, 'revision' | 'compactRevision' | 'compact'>;
  logger: Logger;
  clock?: Clock;
}

/** Starts compacting; the returned function stops it. */
export function startCompactor(options: CompactorOptions): () => void {
  const { store, logger, clock = systemClock } = options;
  let before = store.revision();
  let stopped = false;
  let cancel = () => {};
  const compact = async (revision: number): Promise<void> => {
    if (revision <= store.compactRevision()) return;
    try {
      await store.compact(revision);
      logger.debug('store compacted', { revision });
    } catch (error) {
      // Another API server on the same store was faster.
      if (error instanceof PilothouseError && error.code === 'COMPACTED') return;
      logger.warn('store not compacted', { revision, error: messageOf(error) });
    }
  };
  const schedule = (): void => {
    cancel = clock.after(intervalMs, () => {
      const revision = before;
      before = store.revision();
      void compact(revision).then(() => {
        if (!stopped) schedule();
      });
    });
  };
  schedule();
  return () => {
    stopped = true;
    cancel();
  };
}
