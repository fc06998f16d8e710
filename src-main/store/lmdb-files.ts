// One LMDB environment, opened: its four sub-databases `revisions` (revision -> record), `leases` (id -> lease), `meta`
// (compaction marks) and `side` (table, NUL, key -> bytes), with all reading of them. Writing is lmdb-disk.ts's.
//
// An environment that was replaced (`retire`) closes as soon as the last view of it is closed; `close` ends all views,
// whose next read then fails with STORE_CLOSED.

import { type Database, open, type RootDatabase, type Transaction } from 'lmdb';
import type { CompactionMark, DiskView, LeaseRecord } from './disk';
import { decodeLease, decodeLeaseId, readRevisionKey, revisionKeySize, writeRevisionKey } from './record-codec';
import type { StoreSize } from './store';
import { StoreError } from './store-error';

type Bytes = Database<Buffer, Buffer>;

/** Records fetched in one go by a walk that may pause. */
const recordsPerChunk = 512;
const metaPages = 2;

interface TreeStats {
  treeBranchPageCount: number;
  treeLeafPageCount: number;
  overflowPages: number;
}
interface EnvironmentStats extends TreeStats {
  pageSize: number;
  lastPageNumber: number;
  root: TreeStats;
  free: TreeStats;
}

interface OpenView {
  /** Throws STORE_CLOSED. */
  read(): Transaction;
  end(): void;
}

export class LmdbFiles {
  readonly root: RootDatabase;
  readonly revisions: Bytes;
  readonly leaseTable: Bytes;
  readonly meta: Bytes;
  readonly side: Bytes;
  private readonly scratch = Buffer.alloc(revisionKeySize);
  private readonly views = new Set<OpenView>();
  private onUnused: (() => void) | undefined;
  private closed: Promise<void> | undefined;

  constructor(directory: string) {
    this.root = open({ path: directory, noSubdir: false, overlappingSync: false, eventTurnBatching: false, maxDbs: 8 });
    const bytes = { encoding: 'binary', keyEncoding: 'binary', cache: false } as const;
    this.revisions = this.root.openDB<Buffer, Buffer>('revisions', bytes);
    this.leaseTable = this.root.openDB<Buffer, Buffer>('leases', bytes);
    this.meta = this.root.openDB<Buffer, Buffer>('meta', bytes);
    this.side = this.root.openDB<Buffer, Buffer>('side', bytes);
  }

  record(main: number, sub: number): Buffer | undefined {
    return this.revisions.get(writeRevisionKey(this.scratch, main, sub));
  }

  scan(from: number, to: number, visit: (main: number, sub: number, record: Buffer) => boolean | void): void {
    const start = writeRevisionKey(Buffer.alloc(revisionKeySize), from, 0);
    const end = writeRevisionKey(Buffer.alloc(revisionKeySize), to + 1, 0);
    for (const { key, value } of this.revisions.getRange({ start, end })) {
      const { main, sub } = readRevisionKey(key);
      if (visit(main, sub, value) === false) return;
    }
  }

  leases(transaction?: Transaction): LeaseRecord[] {
    const entries = [...this.leaseTable.getRange(transaction ? { transaction } : {})];
    return entries.map(({ key, value }) => ({ id: decodeLeaseId(key), ...decodeLease(value) }));
  }

  compactionMark(mark: CompactionMark, transaction?: Transaction): number {
    const bytes = this.meta.get(Buffer.from(mark), transaction ? { transaction } : undefined);
    return bytes?.readDoubleLE(0) ?? 0;
  }

  sideRecords(table: string, transaction?: Transaction): { key: Buffer; value: Buffer }[] {
    const start = sideKey(table, Buffer.alloc(0));
    const end = Buffer.from(start);
    end[end.length - 1] = 1;
    const entries = [...this.side.getRange(transaction ? { start, end, transaction } : { start, end })];
    return entries.map(({ key, value }) => ({ key: Buffer.from(key.subarray(start.length)), value }));
  }

  size(): StoreSize {
    const own = this.revisions.getStats() as EnvironmentStats;
    const others = [this.leaseTable, this.meta, this.side].map((table) => table.getStats() as TreeStats);
    const pages = [own, own.root, own.free, ...others].reduce((sum, tree) => sum + pagesOf(tree), metaPages);
    return { total: (own.lastPageNumber + 1) * own.pageSize, inUse: pages * own.pageSize };
  }

  view(): DiskView {
    this.root.resetReadTxn();
    const transaction = this.root.useReadTransaction();
    const view: OpenView = {
      read: () => {
        if (!this.views.has(view)) throw new StoreError('STORE_CLOSED');
        return transaction;
      },
      end: () => {
        if (this.views.delete(view)) transaction.done();
      },
    };
    this.views.add(view);
    return {
      lastRevision: () => this.lastRevision(view.read()),
      records: () => this.walk(view),
      leases: () => this.leases(view.read()),
      sideRecords: (table) => this.sideRecords(table, view.read()),
      compactionMark: (mark) => this.compactionMark(mark, view.read()),
      close: () => {
        view.end();
        if (this.views.size === 0) this.onUnused?.();
      },
    };
  }

  /** Closes the files now, or when the last view is closed; resolves in either case, and tells `onClosed` when done. */
  async retire(onClosed: () => void): Promise<void> {
    const end = async () => {
      this.onUnused = undefined;
      await this.close();
      onClosed();
    };
    if (this.views.size === 0) await end();
    else this.onUnused = () => void end();
  }

  async close(): Promise<void> {
    for (const view of this.views) view.end();
    this.closed ??= this.root.close();
    await this.closed;
  }

  private lastRevision(transaction: Transaction): number {
    const [last] = [...this.revisions.getRange({ reverse: true, limit: 1, transaction })];
    return last ? readRevisionKey(last.key).main : 0;
  }

  private *walk(view: OpenView): Iterable<{ main: number; sub: number; record: Buffer }> {
    let start = writeRevisionKey(Buffer.alloc(revisionKeySize), 0, 0);
    for (;;) {
      const chunk = [...this.revisions.getRange({ start, limit: recordsPerChunk, transaction: view.read() })];
      for (const { key, value } of chunk) yield { ...readRevisionKey(key), record: value };
      if (chunk.length < recordsPerChunk) return;
      const { main, sub } = readRevisionKey(chunk[chunk.length - 1]!.key);
      start = writeRevisionKey(Buffer.alloc(revisionKeySize), main, sub + 1);
    }
  }
}

export function sideKey(table: string, key: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${table}\0`), key]);
}

function pagesOf(tree: TreeStats): number {
  return tree.treeBranchPageCount + tree.treeLeafPageCount + tree.overflowPages;
}
