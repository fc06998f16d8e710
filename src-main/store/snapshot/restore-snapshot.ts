// Builds a store from a snapshot file. The whole file is read and checked before anything is made; the store is built
// in a directory beside the wanted one and takes its name at the end, so there is never half a store in its place.

import { mkdir, mkdtemp, readdir, rename, rm, rmdir } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { type Logger, silentLogger } from '../../kit';
import type { DiskRecord } from '../disk';
import { flush, LmdbDisk } from '../lmdb-disk';
import type { HistoryRecord } from '../store';
import { StoreError } from '../store-error';
import { sideTables } from './etcd-buckets';
import { type SnapshotFile, withSnapshotFile } from './snapshot-file';

export interface RestoreOptions {
  file: string;
  /** Must be missing or empty. */
  directory: string;
  logger?: Logger;
  /** Milliseconds since the epoch at which the leases' remaining times start to run. */
  now?: number;
}

export interface Restored {
  /** The revision of the restored store. */
  revision: number;
  records: number;
  leases: number;
}

const batchBytes = 16 * 1024 * 1024;
const batchRecords = 20_000;
/** What a record takes beside its key and value, roughly. */
const recordOverhead = 64;

/**
 * Errors: SNAPSHOT_CORRUPT, SNAPSHOT_UNSUPPORTED, DIRECTORY_NOT_EMPTY, DISK_FAILURE; after any of them the directory is
 * as it was.
 */
export async function restoreSnapshot(options: RestoreOptions): Promise<Restored> {
  const { file, logger = silentLogger, now = Date.now() } = options;
  const directory = resolve(options.directory);
  return withSnapshotFile(file, async (snapshot) => {
    await requireEmpty(directory);
    await verify(snapshot, now);
    await mkdir(dirname(directory), { recursive: true });
    const building = await mkdtemp(join(dirname(directory), `.${basename(directory)}-restoring-`));
    try {
      const restored = await build(snapshot, building, now);
      await flush(building);
      await takePlace(building, directory);
      logger.info('snapshot restored', { file, directory, ...restored });
      return restored;
    } finally {
      await rm(building, { recursive: true, force: true });
    }
  });
}

async function requireEmpty(directory: string): Promise<void> {
  const names = await namesIn(directory);
  if (names.length === 0) return;
  throw new StoreError('DIRECTORY_NOT_EMPTY', {
    hint: `Name a directory that does not exist yet, or empty ${directory} first.`,
    details: { directory, found: names.slice(0, 5) },
  });
}

async function namesIn(directory: string): Promise<string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

/** Reads everything once: with the checks of the reader, that is the verification. */
async function verify(snapshot: SnapshotFile, now: number): Promise<void> {
  await snapshot.status();
  await snapshot.compactionMarks();
  await snapshot.leases(now);
  for await (const page of snapshot.records()) void page;
}

async function build(snapshot: SnapshotFile, directory: string, now: number): Promise<Restored> {
  const disk = new LmdbDisk(directory);
  try {
    const leases = await snapshot.leases(now);
    const { scheduled, finished } = await snapshot.compactionMarks();
    const side = (
      await Promise.all(
        sideTables.map(async (table) => (await snapshot.all(table)).map((entry) => ({ table, ...entry }))),
      )
    ).flat();
    await disk.commit({ records: [], leasesPut: leases, leasesRemoved: [] });
    if (side.length > 0) await disk.writeSideRecords(side);
    if (scheduled > 0) await disk.setCompactionMark('scheduled', scheduled);
    if (finished > 0) await disk.setCompactionMark('finished', finished);
    let batch: DiskRecord[] = [];
    let bytes = 0;
    let records = 0;
    let revision = Math.max(1, scheduled);
    const commit = async () => {
      if (batch.length > 0) await disk.commit({ records: batch, leasesPut: [], leasesRemoved: [] });
      records += batch.length;
      batch = [];
      bytes = 0;
    };
    for await (const page of snapshot.records()) {
      for (const record of page) {
        batch.push(toDiskRecord(record));
        bytes += recordOverhead + record.key.length + record.value.length;
        revision = Math.max(revision, record.modRevision);
      }
      if (bytes >= batchBytes || batch.length >= batchRecords) await commit();
    }
    await commit();
    return { revision, records, leases: leases.length };
  } finally {
    await disk.close();
  }
}

function toDiskRecord(record: HistoryRecord): DiskRecord {
  const { key, createRevision: create, version, lease, tombstone, modRevision: main, sub, value } = record;
  return { main, sub, header: { key, create, version, lease, tombstone }, value };
}

async function takePlace(building: string, directory: string): Promise<void> {
  // Somebody may have filled it meanwhile.
  await requireEmpty(directory);
  try {
    await rmdir(directory);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  await rename(building, directory);
  await flush(dirname(directory));
}
