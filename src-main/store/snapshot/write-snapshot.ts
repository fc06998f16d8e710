// Writes a snapshot of a running store in the format of `etcdctl snapshot save`: a bbolt database with etcd's buckets
// and, after it, the SHA-256 of its bytes. It shows one moment, whatever is written meanwhile.

import { createHash } from 'node:crypto';
import type { HistoryRecord, LocalStore, StoreView } from '../store';
import { type BboltBucket, type BboltEntry, writeBbolt } from './bbolt-writer';
import { allBuckets, encodeRevisionKey, metaKeys, sideTables } from './etcd-buckets';
import { encodeKeyValue, encodeLeaseMessage, keyValueSize } from './key-value-codec';

/** All that is needed of a store. */
export type Viewed = Pick<LocalStore, 'openView'>;

export interface Snapshot {
  /** The revision the snapshot shows. */
  revision: number;
  /** Bytes of the database; the checksum that follows is not counted. */
  bytes: number;
  /** Many chunks of the database and, last, the checksum of 32 bytes alone. May be read once. */
  chunks: AsyncIterable<Buffer>;
  /** To be called when the chunks are not read to their end. */
  close(): void;
}

export interface SnapshotOptions {
  /** Milliseconds since the epoch, from which the remaining time of leases is counted. */
  now?: number;
}

const checksumBytes = 32;
const clusterVersion: BboltEntry = { key: Buffer.from('clusterVersion'), value: Buffer.from('3.4.0') };

/** Takes the snapshot now; its size is known before the first chunk is read. */
export async function openSnapshot(store: Viewed, options: SnapshotOptions = {}): Promise<Snapshot> {
  const view = store.openView();
  try {
    const file = await writeBbolt(bucketsOf(view, options.now ?? Date.now()));
    const { revision } = view;
    return { revision, bytes: file.bytes, chunks: withChecksum(file.chunks, view), close: () => view.close() };
  } catch (error) {
    view.close();
    throw error;
  }
}

/** The bytes of a snapshot file, taken when the first chunk is asked for. */
export async function* writeSnapshot(store: Viewed, options: SnapshotOptions = {}): AsyncGenerator<Buffer> {
  yield* (await openSnapshot(store, options)).chunks;
}

/** Snapshots in the shape the etcd endpoint streams them: `size` counts the checksum too. */
export function etcdSnapshots(store: Viewed): { open(): Promise<{ size: number; chunks: AsyncIterable<Buffer> }> } {
  return {
    async open() {
      const { bytes, chunks } = await openSnapshot(store);
      return { size: bytes + checksumBytes, chunks };
    },
  };
}

async function* withChecksum(chunks: AsyncIterable<Buffer>, view: StoreView): AsyncGenerator<Buffer> {
  const hash = createHash('sha256');
  try {
    for await (const chunk of chunks) {
      hash.update(chunk);
      yield chunk;
    }
    yield hash.digest();
  } finally {
    view.close();
  }
}

function bucketsOf(view: StoreView, now: number): BboltBucket[] {
  const small = new Map<string, BboltEntry[]>(sideTables.map((table) => [table, view.sideRecords(table)]));
  small.set('meta', metaEntries(view));
  small.set('lease', leaseEntries(view, now));
  const cluster = small.get('cluster')!;
  if (cluster.length === 0) cluster.push(clusterVersion);
  return allBuckets.map((name) => {
    if (name === 'key') return { name, entries: () => keyEntries(view), sizes: () => keySizes(view) };
    return { name, entries: () => small.get(name) ?? [] };
  });
}

function* keyEntries(view: StoreView): Iterable<BboltEntry> {
  for (const record of view.records()) yield { key: recordKey(record), value: recordMessage(record) };
}

function* keySizes(view: StoreView): Iterable<{ key: number; value: number }> {
  for (const record of view.records()) yield { key: record.tombstone ? 18 : 17, value: sizeOf(record) };
}

/** etcd's key of a record in the `key` bucket. */
export function recordKey({ modRevision, sub, tombstone }: HistoryRecord): Buffer {
  return encodeRevisionKey({ main: modRevision, sub, tombstone });
}

/** etcd's value of a record: of a deletion only the key is told. */
export function recordMessage(record: HistoryRecord): Buffer {
  return encodeKeyValue(record.tombstone ? { ...record, modRevision: 0 } : record);
}

function sizeOf(record: HistoryRecord): number {
  return keyValueSize(record.tombstone ? { ...record, modRevision: 0 } : record);
}

function metaEntries(view: StoreView): BboltEntry[] {
  const index = Buffer.alloc(8);
  index.writeBigUInt64BE(BigInt(view.revision));
  const entries: BboltEntry[] = [{ key: metaKeys.consistentIndex, value: index }];
  const mark = (key: Buffer, main: number) => {
    if (main > 0) entries.push({ key, value: encodeRevisionKey({ main, sub: 0, tombstone: false }) });
  };
  mark(metaKeys.finished, view.compactionFinished);
  mark(metaKeys.scheduled, view.compactionScheduled);
  return entries;
}

function leaseEntries(view: StoreView, now: number): BboltEntry[] {
  const entries = view.leases().map(({ id, ttlSeconds, expiresAt }) => {
    const key = Buffer.alloc(8);
    key.writeBigInt64BE(id);
    // Rounded up: a lease about to end must not look like one whose remaining time is unknown, which 0 means.
    const ttl = Math.ceil(ttlSeconds);
    const remaining = Math.min(Math.max(1, Math.ceil((expiresAt - now) / 1000)), ttl);
    return { key, value: encodeLeaseMessage({ id, ttl: BigInt(ttl), remaining: BigInt(remaining) }) };
  });
  return entries.sort((a, b) => Buffer.compare(a.key, b.key));
}
