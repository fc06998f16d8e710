// All records of a store nothing is running on, in order of revision.

import { openStoreView } from '../store-view';
import type { HistoryRecord } from '../store';
import { openOfflineDisk } from './open-offline';

/** Errors: STORE_MISSING, STORE_LOCKED, before the first record. */
export async function* dumpStore(directory: string): AsyncGenerator<HistoryRecord> {
  const disk = await openOfflineDisk(directory);
  try {
    const view = openStoreView(disk);
    try {
      for (const record of view.records()) yield record;
    } finally {
      view.close();
    }
  } finally {
    await disk.close();
  }
}
