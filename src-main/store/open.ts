// Opens the store of a directory.

import { resolve } from 'node:path';
import type { Clock, Logger } from '../kit';
import { LmdbDisk, makeStoreDirectory } from './lmdb-disk';
import { MvccStore } from './mvcc-store';
import type { LocalStore } from './store';

export interface OpenLmdbStoreOptions {
  /** Created when missing. Everything the store owns is in it; copy it only while the store is closed. */
  directory: string;
  logger: Logger;
  clock?: Clock;
}

/** Opens or creates the store in a directory; only one store at a time may have it open (error STORE_LOCKED). */
export async function openLmdbStore(options: OpenLmdbStoreOptions): Promise<LocalStore> {
  const { directory, logger, clock } = options;
  await makeStoreDirectory(directory);
  const disk = new LmdbDisk(resolve(directory));
  try {
    disk.requireSole();
    await disk.removeLeftovers();
    return await MvccStore.open({ disk, logger, clock });
  } catch (error) {
    await disk.close();
    throw error;
  }
}
