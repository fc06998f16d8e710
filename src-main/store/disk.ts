// What the store needs from durable storage. LMDB implements it (lmdb-disk.ts); tests may put a failing one in its place.

import type { RecordHeader } from './record-codec';
import type { SideRecord, StoreSize } from './store';

export interface DiskRecord {
  main: number;
  sub: number;
  header: RecordHeader;
  value: Buffer;
}

export interface LeaseRecord {
  id: bigint;
  ttlSeconds: number;
  /** Milliseconds since the epoch. */
  expiresAt: number;
}

/** One atomic commit. */
export interface DiskBatch {
  records: DiskRecord[];
  leasesPut: LeaseRecord[];
  leasesRemoved: bigint[];
}

export type CompactionMark = 'scheduled' | 'finished';

export interface Disk {
  /** Writes all of the batch or nothing; resolves when it is durable. */
  commit(batch: DiskBatch): Promise<void>;
  readValue(main: number, sub: number): Buffer;
  /**
   * Visits the records with a main revision in [from, to], in order, until the visitor answers false. The record's
   * bytes are decoded by the visitor as far as it needs them.
   */
  scan(from: number, to: number, visit: (main: number, sub: number, record: Buffer) => boolean | void): void;
  /** Removes records in one atomic step; resolves when done. */
  removeRecords(revisions: readonly { main: number; sub: number }[]): Promise<void>;
  leases(): LeaseRecord[];
  /** The revision of the last compaction that was scheduled or finished; 0 when there was none. */
  compactionMark(mark: CompactionMark): number;
  setCompactionMark(mark: CompactionMark, revision: number): Promise<void>;
  sideRecords(table: string): { key: Buffer; value: Buffer }[];
  /** Writes all or nothing; resolves when durable. */
  writeSideRecords(records: readonly SideRecord[]): Promise<void>;
  size(): StoreSize;
  /** The state of this moment, to be read while others write. */
  openView(): DiskView;
  /** Rewrites the files without their free pages; writes wait meanwhile. */
  defragment(): Promise<void>;
  close(): Promise<void>;
}

export interface DiskView {
  /** The main revision of the last record, 0 when there is none. */
  lastRevision(): number;
  /** All records in order, still encoded. */
  records(): Iterable<{ main: number; sub: number; record: Buffer }>;
  leases(): LeaseRecord[];
  sideRecords(table: string): { key: Buffer; value: Buffer }[];
  compactionMark(mark: CompactionMark): number;
  close(): void;
}
