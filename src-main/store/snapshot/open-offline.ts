// Opens the disk of a store that nothing is running on, for looking at it.

import { access } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { LmdbDisk } from '../lmdb-disk';
import { StoreError } from '../store-error';

/** Errors: STORE_MISSING, STORE_LOCKED. Creates nothing; the caller closes it. */
export async function openOfflineDisk(directory: string): Promise<LmdbDisk> {
  const path = resolve(directory);
  try {
    await access(join(path, 'data.mdb'));
  } catch (error) {
    throw new StoreError('STORE_MISSING', {
      cause: error,
      hint: 'Name the directory that was given to the store as its data directory.',
      details: { directory: path },
    });
  }
  const disk = new LmdbDisk(path);
  try {
    disk.requireSole();
    return disk;
  } catch (error) {
    await disk.close();
    throw error;
  }
}
