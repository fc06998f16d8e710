// The durable disk on LMDB (lmdb-files.ts). Each write is one lmdb-js batch, which is one LMDB transaction on a thread
// of its own; its promise resolves after the pages and then the meta page were flushed to disk (`overlappingSync:
// false`). Batching by event-loop turn is off, because then a failed commit also rejects a promise that nobody holds.
//
// The key index lives in one process's memory, so a second process must not open the same directory. LMDB's own reader
// table tells who has it open, and forgets processes that died.
//
// Defragmenting copies the pages in use into a new directory, opens that, and renames its files over the old ones:
// data first, then the lock file, and only then are the old files closed, so that at no moment another process finds
// the store unlocked. Before the first rename a crash leaves the old data, after it the new; both are whole, because no
// write is let through in between.

import { mkdir, mkdtemp, open as openFile, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { CompactionMark, Disk, DiskBatch, DiskView, LeaseRecord } from './disk';
import { LmdbFiles, sideKey } from './lmdb-files';
import {
  encodeLease,
  encodeLeaseId,
  encodeRecord,
  recordValue,
  revisionKeySize,
  writeRevisionKey,
} from './record-codec';
import type { SideRecord, StoreSize } from './store';
import { StoreError } from './store-error';

const openHere = new Set<string>();
const copyPrefix = 'defragment-';

export class LmdbDisk implements Disk {
  private files: LmdbFiles;
  /** Files that were replaced and are still read by views. */
  private readonly replaced = new Set<LmdbFiles>();
  private readonly writing = new Set<Promise<unknown>>();
  /** Set while the files are being replaced: writes wait for it. */
  private replacing: Promise<void> | undefined;
  private readonly scratch = Buffer.alloc(revisionKeySize);

  /** Throws STORE_LOCKED when the directory is open already. */
  constructor(private readonly directory: string) {
    if (openHere.has(directory)) throw lockedBy(process.pid, directory);
    this.files = new LmdbFiles(directory);
    openHere.add(directory);
  }

  /** Throws STORE_LOCKED when another process has the directory open. */
  requireSole(): void {
    // Reading enters this process into the reader table, for others to see.
    this.compactionMark('scheduled');
    const { root } = this.files;
    root.readerCheck();
    const pids = [...root.readerList().matchAll(/^\s*(\d+)\s/gm)].map(([, pid]) => Number(pid));
    const other = pids.find((pid) => pid !== process.pid);
    if (other !== undefined) throw lockedBy(other, this.directory);
  }

  /** Removes what a defragmentation left that was cut short. To be called by the sole owner. */
  async removeLeftovers(): Promise<void> {
    const names = await readdir(this.directory);
    for (const name of names.filter((one) => one.startsWith(copyPrefix))) {
      await rm(join(this.directory, name), { recursive: true, force: true });
    }
  }

  commit(batch: DiskBatch): Promise<void> {
    // Everything that can throw comes before the batch: what a batch has begun it commits.
    const encoded = batch.records.map(({ header, value }) => encodeRecord(header, value));
    return this.write(({ revisions, leaseTable }) => {
      batch.records.forEach(({ main, sub }, i) => {
        revisions.put(writeRevisionKey(this.scratch, main, sub), encoded[i]!);
      });
      for (const lease of batch.leasesPut) leaseTable.put(encodeLeaseId(lease.id), encodeLease(lease));
      for (const id of batch.leasesRemoved) leaseTable.remove(encodeLeaseId(id));
    });
  }

  readValue(main: number, sub: number): Buffer {
    const record = this.files.record(main, sub);
    if (!record) throw new StoreError('DISK_FAILURE', { details: { main, sub, missing: 'record' } });
    return recordValue(record);
  }

  scan(from: number, to: number, visit: (main: number, sub: number, record: Buffer) => boolean | void): void {
    this.files.scan(from, to, visit);
  }

  removeRecords(revisions: readonly { main: number; sub: number }[]): Promise<void> {
    return this.write((files) => {
      for (const { main, sub } of revisions) files.revisions.remove(writeRevisionKey(this.scratch, main, sub));
    });
  }

  leases(): LeaseRecord[] {
    return this.files.leases();
  }

  compactionMark(mark: CompactionMark): number {
    return this.files.compactionMark(mark);
  }

  setCompactionMark(mark: CompactionMark, revision: number): Promise<void> {
    const bytes = Buffer.alloc(8);
    bytes.writeDoubleLE(revision);
    return this.write(({ meta }) => void meta.put(Buffer.from(mark), bytes));
  }

  sideRecords(table: string): { key: Buffer; value: Buffer }[] {
    return this.files.sideRecords(table);
  }

  writeSideRecords(records: readonly SideRecord[]): Promise<void> {
    const changes = records.map(({ table, key, value }) => ({ key: sideKey(table, key), value }));
    return this.write(({ side }) => {
      for (const { key, value } of changes) {
        if (value) side.put(key, value);
        else side.remove(key);
      }
    });
  }

  size(): StoreSize {
    return this.files.size();
  }

  openView(): DiskView {
    return this.files.view();
  }

  async defragment(): Promise<void> {
    while (this.replacing) await this.replacing;
    const work = this.replaceFiles();
    this.replacing = work.then(
      () => undefined,
      () => undefined,
    );
    try {
      await work;
    } finally {
      this.replacing = undefined;
    }
  }

  async close(): Promise<void> {
    await this.replacing;
    await this.files.close();
    for (const files of this.replaced) await files.close();
    openHere.delete(this.directory);
  }

  private async replaceFiles(): Promise<void> {
    await Promise.allSettled(this.writing);
    const copy = await mkdtemp(join(this.directory, copyPrefix));
    const old = this.files;
    try {
      const data = join(copy, 'data.mdb');
      await old.root.backup(copy, true);
      await flush(data);
      const fresh = new LmdbFiles(copy);
      // Enters this process into the reader table that will be the store's.
      fresh.compactionMark('scheduled');
      try {
        await rename(data, join(this.directory, 'data.mdb'));
      } catch (error) {
        await fresh.close();
        throw error;
      }
      // From here on only the new files may be written to.
      this.files = fresh;
      await rename(join(copy, 'lock.mdb'), join(this.directory, 'lock.mdb'));
      await flush(this.directory);
    } catch (error) {
      throw new StoreError('DISK_FAILURE', {
        cause: error,
        hint: 'Defragmenting needs as much free disk space as the store has in use.',
      });
    } finally {
      await rm(copy, { recursive: true, force: true });
      if (this.files !== old) await this.retire(old);
    }
  }

  private async retire(files: LmdbFiles): Promise<void> {
    this.replaced.add(files);
    await files.retire(() => this.replaced.delete(files));
  }

  /** Commits what `operations` puts and removes as one LMDB transaction. */
  private async write(operations: (files: LmdbFiles) => void): Promise<void> {
    while (this.replacing) await this.replacing;
    const { files } = this;
    const committed = files.root.batch(() => operations(files));
    this.writing.add(committed);
    try {
      await committed;
    } catch (error) {
      throw new StoreError('DISK_FAILURE', {
        cause: await causeOf(error),
        hint: 'Check that the disk of the store directory is not full and may be written.',
      });
    } finally {
      this.writing.delete(committed);
    }
    // Later reads of this turn must see what was just committed.
    files.root.resetReadTxn();
  }
}

/** Makes a file's content, or a directory's names, survive a power cut. */
export async function flush(path: string): Promise<void> {
  const handle = await openFile(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Creates the directory of a store when missing, for its owner only. */
export async function makeStoreDirectory(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
}

/** lmdb-js hangs the reason of a failed commit on the error, as a promise that is rejected in the same turn. */
async function causeOf(error: unknown): Promise<unknown> {
  const reason = (error as { commitError?: Promise<unknown> }).commitError;
  if (!reason) return error;
  const nextTurn = new Promise((resolve) => {
    setImmediate(() => resolve(error));
  });
  return Promise.race([reason.catch((cause: unknown) => cause), nextTurn]);
}

function lockedBy(pid: number, directory: string): StoreError {
  return new StoreError('STORE_LOCKED', {
    hint: `Process ${pid} has the store open. Stop it, or use the running cluster.`,
    details: { pid, directory },
  });
}
