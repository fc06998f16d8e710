// The only file that knows LMDB. Three sub-databases: `revisions` (revision -> record), `leases` (id -> lease) and
// `meta` (compaction marks). Each write is one lmdb-js batch, which is one LMDB transaction on a thread of its own; its
// promise resolves after the pages and then the meta page were flushed to disk (`overlappingSync: false`). Batching by
// event-loop turn is off, because then a failed commit also rejects a promise that nobody holds.
//
// The key index lives in one process's memory, so a second process must not open the same directory. LMDB's own reader
// table tells who has it open, and forgets processes that died.

import { type Database, open, type RootDatabase } from 'lmdb';
import type { CompactionMark, Disk, DiskBatch, LeaseRecord } from './disk';
import {
  decodeLease,
  decodeLeaseId,
  encodeLease,
  encodeLeaseId,
  encodeRecord,
  readRevisionKey,
  recordValue,
  revisionKeySize,
  writeRevisionKey,
} from './record-codec';
import { StoreError } from './store-error';

type Bytes = Database<Buffer, Buffer>;

const openHere = new Set<string>();

export class LmdbDisk implements Disk {
  private readonly root: RootDatabase;
  private readonly revisions: Bytes;
  private readonly leaseTable: Bytes;
  private readonly meta: Bytes;
  private readonly scratch = Buffer.alloc(revisionKeySize);

  /** Throws STORE_LOCKED when the directory is open already. */
  constructor(private readonly directory: string) {
    if (openHere.has(directory)) throw lockedBy(process.pid, directory);
    this.root = open({ path: directory, noSubdir: false, overlappingSync: false, eventTurnBatching: false, maxDbs: 8 });
    const bytes = { encoding: 'binary', keyEncoding: 'binary', cache: false } as const;
    this.revisions = this.root.openDB<Buffer, Buffer>('revisions', bytes);
    this.leaseTable = this.root.openDB<Buffer, Buffer>('leases', bytes);
    this.meta = this.root.openDB<Buffer, Buffer>('meta', bytes);
    openHere.add(directory);
  }

  /** Throws STORE_LOCKED when another process has the directory open. */
  requireSole(): void {
    // Reading enters this process into the reader table, for others to see.
    this.compactionMark('scheduled');
    this.root.readerCheck();
    const pids = [...this.root.readerList().matchAll(/^\s*(\d+)\s/gm)].map(([, pid]) => Number(pid));
    const other = pids.find((pid) => pid !== process.pid);
    if (other !== undefined) throw lockedBy(other, this.directory);
  }

  commit(batch: DiskBatch): Promise<void> {
    // Everything that can throw comes before the batch: what a batch has begun it commits.
    const encoded = batch.records.map(({ header, value }) => encodeRecord(header, value));
    return this.write(() => {
      batch.records.forEach(({ main, sub }, i) => {
        this.revisions.put(writeRevisionKey(this.scratch, main, sub), encoded[i]!);
      });
      for (const lease of batch.leasesPut) this.leaseTable.put(encodeLeaseId(lease.id), encodeLease(lease));
      for (const id of batch.leasesRemoved) this.leaseTable.remove(encodeLeaseId(id));
    });
  }

  readValue(main: number, sub: number): Buffer {
    const record = this.revisions.get(writeRevisionKey(this.scratch, main, sub));
    if (!record) throw new StoreError('DISK_FAILURE', { details: { main, sub, missing: 'record' } });
    return recordValue(record);
  }

  scan(from: number, to: number, visit: (main: number, sub: number, record: Buffer) => boolean | void): void {
    const start = writeRevisionKey(Buffer.alloc(revisionKeySize), from, 0);
    const end = writeRevisionKey(Buffer.alloc(revisionKeySize), to + 1, 0);
    for (const { key, value } of this.revisions.getRange({ start, end })) {
      const { main, sub } = readRevisionKey(key);
      if (visit(main, sub, value) === false) return;
    }
  }

  removeRecords(revisions: readonly { main: number; sub: number }[]): Promise<void> {
    return this.write(() => {
      for (const { main, sub } of revisions) this.revisions.remove(writeRevisionKey(this.scratch, main, sub));
    });
  }

  leases(): LeaseRecord[] {
    return [...this.leaseTable.getRange()].map(({ key, value }) => ({ id: decodeLeaseId(key), ...decodeLease(value) }));
  }

  compactionMark(mark: CompactionMark): number {
    return this.meta.get(Buffer.from(mark))?.readDoubleLE(0) ?? 0;
  }

  setCompactionMark(mark: CompactionMark, revision: number): Promise<void> {
    const bytes = Buffer.alloc(8);
    bytes.writeDoubleLE(revision);
    return this.write(() => void this.meta.put(Buffer.from(mark), bytes));
  }

  async close(): Promise<void> {
    await this.root.close();
    openHere.delete(this.directory);
  }

  /** Commits what `operations` puts and removes as one LMDB transaction. */
  private async write(operations: () => void): Promise<void> {
    try {
      await this.root.batch(operations);
    } catch (error) {
      throw new StoreError('DISK_FAILURE', {
        cause: await causeOf(error),
        hint: 'Check that the disk of the store directory is not full and may be written.',
      });
    }
    // Later reads of this turn must see what was just committed.
    this.root.resetReadTxn();
  }
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
