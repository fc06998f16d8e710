// One group commit in the making: applies writes to the index ahead of the disk, remembers them, and can take them back.
//
// Invariants: every main revision is used by at most one transaction; a transaction that fails leaves nothing; after
// `rollBack` index and leases are as they were before the batch.

import type { Disk, DiskBatch, LeaseRecord } from './disk';
import { type KeyEntry, type KeyIndex, liveAt, type Version } from './key-index';
import type { Lease, LeaseTable } from './lease-table';
import type { RangeSource } from './range-read';
import type { Key } from './store';
import type { ValueCache } from './value-cache';

/** One version written: what watchers are told and what goes to disk. */
export interface Change {
  entry: KeyEntry;
  version: Version;
  /** The version a reader saw before; undefined when the key did not exist. */
  previous: Version | undefined;
}

export interface MvccState extends RangeSource {
  index: KeyIndex;
  leases: LeaseTable;
  values: ValueCache;
  disk: Disk;
  /** The revision of the last durable write; readers see nothing newer. */
  committed: number;
  compacted: number;
}

const noBytes = Buffer.alloc(0);

export class Batch {
  readonly changes: Change[] = [];
  private readonly leaseUndo: { changeCount: number; undo(): void }[] = [];
  private readonly leaseWrites = new Map<bigint, LeaseRecord | undefined>();
  private current: number;
  private txnStart = 0;

  constructor(readonly state: MvccState) {
    this.current = state.committed;
  }

  /** The revision of the last transaction of the batch that wrote. */
  get revision(): number {
    return this.current;
  }

  get isEmpty(): boolean {
    return this.changes.length === 0 && this.leaseWrites.size === 0;
  }

  /** The revision the transaction being applied writes at. */
  get writing(): number {
    return this.current + 1;
  }

  /** The revision to answer inside the transaction being applied: its own once it has written. */
  get answering(): number {
    return this.changes.length > this.txnStart ? this.current + 1 : this.current;
  }

  /** Applies one transaction: all of it, or nothing when it throws. */
  transact<T>(apply: (batch: Batch) => T): T {
    this.txnStart = this.changes.length;
    const leaseStart = this.leaseUndo.length;
    try {
      const result = apply(this);
      this.current = this.answering;
      return result;
    } catch (error) {
      this.undoTo(this.txnStart, leaseStart);
      throw error;
    } finally {
      this.txnStart = this.changes.length;
    }
  }

  /** The version of a key the transaction being applied sees, its own writes included. */
  live(key: Key): Version | undefined {
    const entry = this.state.index.get(key);
    return entry && liveAt(entry, this.writing);
  }

  put(key: Key, value: Buffer, lease: bigint): Change {
    const previous = this.live(key);
    const main = this.writing;
    const version: Version = {
      main,
      sub: this.changes.length - this.txnStart,
      create: previous ? previous.create : main,
      version: previous ? previous.version + 1 : 1,
      lease,
      tombstone: false,
      value,
    };
    return this.record(key, version, previous);
  }

  delete(key: Key, previous: Version): Change {
    const version: Version = {
      main: this.writing,
      sub: this.changes.length - this.txnStart,
      create: 0,
      version: 0,
      lease: 0n,
      tombstone: true,
      value: noBytes,
    };
    return this.record(key, version, previous);
  }

  setLease(lease: Lease): void {
    const { leases } = this.state;
    const before = leases.get(lease.id);
    leases.set(lease);
    this.writeLease(lease.id, lease, () => (before ? leases.set(before) : leases.delete(lease.id)));
  }

  removeLease(lease: Lease): void {
    const { leases } = this.state;
    leases.delete(lease.id);
    this.writeLease(lease.id, undefined, () => leases.set(lease));
  }

  toDisk(): DiskBatch {
    const leasesPut: LeaseRecord[] = [];
    const leasesRemoved: bigint[] = [];
    for (const [id, lease] of this.leaseWrites) {
      if (lease) leasesPut.push(lease);
      else leasesRemoved.push(id);
    }
    const records = this.changes.map(({ entry, version }) => ({
      main: version.main,
      sub: version.sub,
      header: {
        key: entry.key,
        create: version.create,
        version: version.version,
        lease: version.lease,
        tombstone: version.tombstone,
      },
      value: version.value ?? noBytes,
    }));
    return { records, leasesPut, leasesRemoved };
  }

  /** Takes everything back, after the disk refused the batch. */
  rollBack(): void {
    this.undoTo(0, 0);
    this.current = this.state.committed;
  }

  private record(key: Key, version: Version, previous: Version | undefined): Change {
    const change = { entry: this.state.index.add(key, version), version, previous };
    this.state.leases.move(key, previous?.lease ?? 0n, version.lease);
    this.changes.push(change);
    return change;
  }

  private writeLease(id: bigint, record: LeaseRecord | undefined, undoTable: () => void): void {
    const { leaseWrites } = this;
    const written = leaseWrites.has(id);
    const before = leaseWrites.get(id);
    leaseWrites.set(id, record);
    const undo = () => {
      undoTable();
      if (written) leaseWrites.set(id, before);
      else leaseWrites.delete(id);
    };
    this.leaseUndo.push({ changeCount: this.changes.length, undo });
  }

  /** Undoes newest first, key changes and lease changes in the order they were made. */
  private undoTo(changeCount: number, leaseCount: number): void {
    const { index, leases } = this.state;
    while (this.changes.length > changeCount || this.leaseUndo.length > leaseCount) {
      const lease = this.leaseUndo.length > leaseCount ? this.leaseUndo[this.leaseUndo.length - 1] : undefined;
      if (lease && lease.changeCount >= this.changes.length) {
        lease.undo();
        this.leaseUndo.pop();
        continue;
      }
      const { entry, version, previous } = this.changes.pop()!;
      leases.move(entry.key, version.lease, previous?.lease ?? 0n);
      index.removeNewest(entry);
    }
  }
}
