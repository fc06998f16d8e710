// etcd's HashKV, bit for bit: the CRC-32C over its `key` bucket as it stands at a revision, so that the hashes of our
// store and of a real etcd with the same history are equal. What a compaction has not yet removed, but will, is left out.

import type { HistoryRecord, StoreView } from '../store';
import { encodeKeyValue } from './messages-out';

const bucketName = Buffer.from('key');
const recordsPerTurn = 20_000;

const table = new Uint32Array(256).map((_, i) => {
  let value = i;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0x82f63b78 : value >>> 1;
  return value;
});

/** Goes on from a checksum of what came before; starts from 0. */
export function crc32c(bytes: Uint8Array, before = 0): number {
  let crc = ~before;
  for (let i = 0; i < bytes.length; i++) crc = table[(crc ^ bytes[i]!) & 0xff]! ^ (crc >>> 8);
  return ~crc >>> 0;
}

/** The hash of the history up to `revision`; yields to other work between stretches of records. */
export async function hashHistory(view: StoreView, at: { revision: number; compacted: number }): Promise<number> {
  const kept = await keptByCompaction(view, at);
  let hash = crc32c(bucketName);
  let seen = 0;
  for (const record of view.records()) {
    if (++seen % recordsPerTurn === 0) await nextTurn();
    if (record.modRevision > at.revision) break;
    const old = record.modRevision <= at.compacted;
    if (old && kept.size > 0 && !kept.has(placeOf(record))) continue;
    hash = crc32c(bucketKey(record), hash);
    hash = crc32c(bucketValue(record), hash);
  }
  return hash;
}

/** The records that a compaction at the revision keeps: the last of every key that is alive there. */
async function keptByCompaction(view: StoreView, at: { revision: number }): Promise<Set<string>> {
  const last = new Map<string, string>();
  let seen = 0;
  for (const record of view.records()) {
    if (++seen % recordsPerTurn === 0) await nextTurn();
    if (record.modRevision > at.revision) break;
    if (record.tombstone) last.delete(record.key);
    else last.set(record.key, placeOf(record));
  }
  return new Set(last.values());
}

const placeOf = (record: HistoryRecord) => `${record.modRevision}/${record.sub}`;

function bucketKey(record: HistoryRecord): Buffer {
  const bytes = Buffer.alloc(record.tombstone ? 18 : 17);
  bytes.writeBigUInt64BE(BigInt(record.modRevision), 0);
  bytes.write('_', 8, 'latin1');
  bytes.writeBigUInt64BE(BigInt(record.sub), 9);
  if (record.tombstone) bytes.write('t', 17, 'latin1');
  return bytes;
}

function bucketValue(record: HistoryRecord): Buffer {
  if (!record.tombstone) return encodeKeyValue(record);
  const { key } = record;
  return encodeKeyValue({ key, value: Buffer.alloc(0), createRevision: 0, modRevision: 0, version: 0, lease: 0n });
}

const nextTurn = () =>
  new Promise<void>((resolve) => {
    setImmediate(resolve);
  });
