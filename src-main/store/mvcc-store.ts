// The store itself: puts the parts together over a disk (lmdb-disk.ts). On disk there is only history, keyed by revision
// (record-codec.ts); the key index lives in memory and is rebuilt by one pass over the records at open, as etcd does.
// That keeps a write one append and makes compares and look-ups free of I/O, at about 350 bytes of memory a key;
// compaction, which the API server asks for every few minutes, bounds both the pass and the memory.
//
// Reads are answered synchronously from committed state (so they are linearizable: a write is visible before its
// promise resolves); writes go through the group commit of write-queue.ts.

import { randomBytes } from 'node:crypto';
import { type Clock, type Logger, systemClock } from '../kit';
import { type Batch, type Change, type MvccState } from './batch';
import { compactHistory } from './compaction';
import type { Disk } from './disk';
import { KeyIndex, type KeyEntry, type Version } from './key-index';
import { LeaseExpiry } from './lease-expiry';
import { applyKeepAlive, applyGrant, applyRevoke, leaseStatus } from './lease-apply';
import { LeaseTable } from './lease-table';
import { readRange } from './range-read';
import { decodeHeader } from './record-codec';
import type {
  DeleteRangeRequest,
  KeyValue,
  LeaseStatus,
  LocalStore,
  PutRequest,
  RangeRequest,
  RangeResponse,
  SideRecord,
  StoreSize,
  StoreView,
  TxnRequest,
  TxnResponse,
  Watch,
  WatchListener,
  WatchRequest,
  WriteGuard,
} from './store';
import { StoreError } from './store-error';
import { applyDelete, applyPut, applyTxn, checkRevision, readTxn } from './txn-apply';
import { checkKey, checkPut, checkTxn, isReadOnly } from './txn-check';
import { openStoreView } from './store-view';
import { ValueCache } from './value-cache';
import { WatchHub } from './watch-hub';
import { leaseCost, putCost, txnCost } from './write-cost';
import { WriteQueue } from './write-queue';

export interface MvccStoreOptions {
  disk: Disk;
  logger: Logger;
  clock?: Clock;
  /** Bytes of recent values kept in memory. */
  valueCacheBytes?: number;
  /** Records read in one go for a watch that catches up. */
  catchUpRecords?: number;
}

const defaultValueCacheBytes = 64 * 1024 * 1024;

export class MvccStore implements LocalStore {
  private readonly state: MvccState;
  private readonly queue: WriteQueue;
  private readonly hub: WatchHub;
  private readonly expiry: LeaseExpiry;
  private readonly clock: Clock;
  private readonly logger: Logger;
  private compaction: Promise<void> = Promise.resolve();
  private closing: Promise<void> | undefined;
  private guard: WriteGuard | undefined;

  private constructor(options: MvccStoreOptions) {
    const { disk, logger, clock = systemClock } = options;
    this.logger = logger;
    this.clock = clock;
    this.state = loadState(disk, { now: clock.now(), valueCacheBytes: options.valueCacheBytes });
    this.hub = new WatchHub({ state: this.state, logger, catchUpRecords: options.catchUpRecords });
    const onCommitted = (changes: readonly Change[], revision: number) => this.hub.publish(changes, revision);
    this.queue = new WriteQueue({ state: this.state, logger, onCommitted });
    this.expiry = new LeaseExpiry({
      clock,
      leases: this.state.leases,
      onExpired: (ids) => this.expireLeases(ids),
    });
  }

  /** Loads what is on the disk, finishes an interrupted compaction and starts the lease timers. */
  static async open(options: MvccStoreOptions): Promise<MvccStore> {
    const store = new MvccStore(options);
    const { disk, compacted } = store.state;
    if (disk.compactionMark('finished') < compacted) {
      options.logger.info('resuming store compaction', { revision: compacted });
      await compactHistory(store.state, compacted);
    }
    store.expiry.arm();
    return store;
  }

  revision(): number {
    return this.state.committed;
  }

  compactRevision(): number {
    return this.state.compacted;
  }

  async range(request: RangeRequest): Promise<RangeResponse> {
    this.requireOpen();
    checkKey(request.key);
    const { committed: revision, compacted } = this.state;
    checkRevision(request.revision, { compacted, current: revision });
    return readRange(this.state, request, { at: request.revision || revision, revision });
  }

  async put(request: PutRequest): Promise<{ revision: number; prevKv?: KeyValue }> {
    checkPut(request);
    this.guard?.(putCost(request));
    return this.queue.submit((batch) => applyPut(batch, request));
  }

  async deleteRange(request: DeleteRangeRequest): Promise<{ revision: number; deleted: number; prevKvs: KeyValue[] }> {
    checkKey(request.key);
    return this.queue.submit((batch) => applyDelete(batch, request));
  }

  async txn(request: TxnRequest): Promise<TxnResponse> {
    checkTxn(request);
    if (!isReadOnly(request)) {
      const cost = this.guard ? txnCost(request) : 0;
      if (cost > 0) this.guard?.(cost);
      return this.queue.submit((batch) => applyTxn(batch, request));
    }
    this.requireOpen();
    return readTxn(this.state, request);
  }

  watch(request: WatchRequest, listener: WatchListener): Watch {
    if (!this.closing) return this.hub.watch(request, listener);
    let cancelled = false;
    queueMicrotask(() => {
      if (!cancelled) listener.onEnd(new StoreError('STORE_CLOSED'));
    });
    return {
      cancel() {
        cancelled = true;
      },
    };
  }

  /** Resolves when what is superseded is gone from the disk. */
  async compact(revision: number): Promise<void> {
    this.requireOpen();
    const { committed, compacted } = this.state;
    if (revision <= compacted) throw new StoreError('COMPACTED', { details: { revision, compacted } });
    if (revision > committed) throw new StoreError('FUTURE_REVISION', { details: { revision, committed } });
    this.state.compacted = revision;
    const work = this.compaction.then(() => this.runCompaction(revision));
    // The next compaction follows this one whether or not it succeeded; its failure is the caller's to see.
    this.compaction = work.then(
      () => undefined,
      () => undefined,
    );
    return work;
  }

  async grantLease(request: { ttlSeconds: number; id?: bigint }): Promise<{ id: bigint; ttlSeconds: number }> {
    this.guard?.(leaseCost);
    const id = request.id || randomLeaseId();
    return this.leaseWrite((batch) => applyGrant(batch, { ...request, id, now: this.clock.now() }));
  }

  revokeLease(id: bigint): Promise<{ revision: number }> {
    return this.leaseWrite((batch) => applyRevoke(batch, id));
  }

  keepAliveLease(id: bigint): Promise<{ ttlSeconds: number }> {
    return this.leaseWrite((batch) => applyKeepAlive(batch, id, this.clock.now()));
  }

  /** Queued like a write, so that it never tells of state that is not durable yet. */
  leaseStatus(id: bigint): Promise<LeaseStatus> {
    return this.queue.submit((batch) => leaseStatus(batch, id, this.clock.now()));
  }

  listLeases(): Promise<bigint[]> {
    return this.queue.submit(({ state }) => state.leases.all().map((lease) => lease.id));
  }

  size(): StoreSize {
    this.requireOpen();
    return this.state.disk.size();
  }

  openView(): StoreView {
    this.requireOpen();
    return openStoreView(this.state.disk);
  }

  async defragment(): Promise<void> {
    this.requireOpen();
    const { disk } = this.state;
    const before = disk.size().total;
    await disk.defragment();
    this.logger.info('store defragmented', { before, after: disk.size().total });
  }

  guardWrites(guard: WriteGuard | undefined): void {
    this.guard = guard;
  }

  sideRecords(table: string): { key: Buffer; value: Buffer }[] {
    this.requireOpen();
    return this.state.disk.sideRecords(table);
  }

  async writeSideRecords(records: readonly SideRecord[]): Promise<void> {
    this.requireOpen();
    await this.state.disk.writeSideRecords(records);
  }

  /** Settles the writes accepted so far, ends all watches and closes the files. */
  close(): Promise<void> {
    this.closing ??= this.shutDown();
    return this.closing;
  }

  private async shutDown(): Promise<void> {
    this.expiry.stop();
    await this.queue.close();
    this.hub.close();
    await this.compaction;
    await this.state.disk.close();
  }

  private requireOpen(): void {
    if (this.closing) throw new StoreError('STORE_CLOSED');
  }

  private async runCompaction(revision: number): Promise<void> {
    const { removed } = await compactHistory(this.state, revision);
    this.logger.debug('store compacted', { revision, removed });
  }

  private async leaseWrite<T>(apply: (batch: Batch) => T): Promise<T> {
    const result = await this.queue.submit(apply);
    this.expiry.arm();
    return result;
  }

  private async expireLeases(ids: readonly bigint[]): Promise<void> {
    const expireOne = (id: bigint) => (batch: Batch) => {
      const lease = batch.state.leases.get(id);
      // It may have been revoked or kept alive while this waited in the queue.
      if (lease && lease.expiresAt <= this.clock.now()) applyRevoke(batch, id);
    };
    const results = await Promise.allSettled(ids.map((id) => this.queue.submit(expireOne(id))));
    const failed = results.find((result) => result.status === 'rejected');
    if (failed && !this.closing) this.logger.warn('leases could not be expired', { error: failed.reason });
  }
}

function randomLeaseId(): bigint {
  return randomBytes(8).readBigInt64BE() & 0x7fff_ffff_ffff_ffffn || 1n;
}

/** Rebuilds index and leases from the disk. */
function loadState(disk: Disk, options: { now: number; valueCacheBytes?: number }): MvccState {
  const entries = new Map<string, KeyEntry>();
  const compacted = disk.compactionMark('scheduled');
  // Compaction leaves a record of its own revision, so this is a safety net: revisions must never be given out twice.
  let committed = Math.max(1, compacted);
  disk.scan(0, Number.MAX_SAFE_INTEGER - 1, (main, sub, record) => {
    const { key, create, version, lease, tombstone } = decodeHeader(record);
    const loaded: Version = { main, sub, create, version, lease, tombstone, value: undefined };
    const entry = entries.get(key);
    if (entry) entry.versions.push(loaded);
    else entries.set(key, { key, versions: [loaded] });
    committed = Math.max(committed, main);
  });
  const leases = new LeaseTable();
  leases.restore(disk.leases(), options.now);
  for (const { key, versions } of entries.values()) leases.move(key, 0n, versions[versions.length - 1]!.lease);
  const index = new KeyIndex();
  index.load(entries);
  const valueOf = (version: Version) => version.value ?? disk.readValue(version.main, version.sub);
  const values = new ValueCache(options.valueCacheBytes ?? defaultValueCacheBytes);
  return { index, leases, values, disk, committed, compacted, valueOf };
}
