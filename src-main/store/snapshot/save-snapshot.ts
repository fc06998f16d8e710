// Saves a snapshot of an open store as a file, which appears whole or not at all.

import { open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { flush } from '../lmdb-disk';
import { openStoreView } from '../store-view';
import { openOfflineDisk } from './open-offline';
import { openSnapshot, type Viewed } from './write-snapshot';

/** Replaces a file of that name. `bytes`: the size of the file. */
export async function saveSnapshot(store: Viewed, file: string): Promise<{ revision: number; bytes: number }> {
  const part = `${file}.part`;
  const handle = await open(part, 'w', 0o600);
  let bytes = 0;
  try {
    const snapshot = await openSnapshot(store);
    const { revision } = snapshot;
    try {
      for await (const chunk of snapshot.chunks) {
        await handle.writeFile(chunk);
        bytes += chunk.length;
      }
    } finally {
      snapshot.close();
    }
    await handle.sync();
    await handle.close();
    await rename(part, file);
    await flush(dirname(file));
    return { revision, bytes };
  } catch (error) {
    await handle.close();
    await rm(part, { force: true });
    throw error;
  }
}

/** The same from the directory of a store nothing is running on. Errors: STORE_MISSING, STORE_LOCKED. */
export async function saveOfflineSnapshot(
  directory: string,
  file: string,
): Promise<{ revision: number; bytes: number }> {
  const disk = await openOfflineDisk(directory);
  try {
    return await saveSnapshot({ openView: () => openStoreView(disk) }, file);
  } finally {
    await disk.close();
  }
}
