// Owns the bytes on disk. A record's key is its revision (main 8 bytes, sub 4 bytes, big-endian), so that the order on
// disk is the order of history. A record's value is
//
//   flags u8 (1 = tombstone, 2 = has lease) | key length u32 | create f64 | version f64 | [lease i64] | key | value
//
// all little-endian. Nothing is JSON and the value stays the bytes it was given.

import type { Key } from './store';

export const revisionKeySize = 12;
const headerSize = 21;
const tombstoneFlag = 1;
const leaseFlag = 2;

export interface RecordHeader {
  key: Key;
  create: number;
  version: number;
  lease: bigint;
  tombstone: boolean;
}

/** Writes a revision into `target`, which may be reused between calls: LMDB copies keys at once. */
export function writeRevisionKey(target: Buffer, main: number, sub: number): Buffer {
  target.writeUInt32BE(Math.floor(main / 0x1_0000_0000), 0);
  target.writeUInt32BE(main % 0x1_0000_0000, 4);
  target.writeUInt32BE(sub, 8);
  return target;
}

export function readRevisionKey(bytes: Uint8Array): { main: number; sub: number } {
  return { main: uint32(bytes, 0) * 0x1_0000_0000 + uint32(bytes, 4), sub: uint32(bytes, 8) };
}

/** By hand, because a view for each of a million keys costs a second at open. */
function uint32(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0;
}

export function encodeRecord(header: RecordHeader, value: Buffer): Buffer {
  const { key, lease } = header;
  const leased = lease !== 0n;
  const keyStart = leased ? headerSize + 8 : headerSize;
  const record = Buffer.allocUnsafe(keyStart + key.length + value.length);
  record[0] = (header.tombstone ? tombstoneFlag : 0) | (leased ? leaseFlag : 0);
  record.writeUInt32LE(key.length, 1);
  record.writeDoubleLE(header.create, 5);
  record.writeDoubleLE(header.version, 13);
  if (leased) record.writeBigInt64LE(lease, headerSize);
  record.write(key, keyStart, 'latin1');
  record.set(value, keyStart + key.length);
  return record;
}

function keyStartOf(record: Buffer): number {
  return record[0]! & leaseFlag ? headerSize + 8 : headerSize;
}

export function recordKey(record: Buffer): Key {
  const start = keyStartOf(record);
  return record.toString('latin1', start, start + record.readUInt32LE(1));
}

export function decodeHeader(record: Buffer): RecordHeader {
  const flags = record[0]!;
  return {
    key: recordKey(record),
    create: count(record.readDoubleLE(5)),
    version: count(record.readDoubleLE(13)),
    lease: flags & leaseFlag ? record.readBigInt64LE(headerSize) : 0n,
    tombstone: (flags & tombstoneFlag) !== 0,
  };
}

/** The same number, as a small integer when it is one: V8 keeps those without a box, which halves the index. */
function count(value: number): number {
  const small = value | 0;
  return small === value ? small : value;
}

/** The value inside a record, sharing its memory. */
export function recordValue(record: Buffer): Buffer {
  return record.subarray(keyStartOf(record) + record.readUInt32LE(1));
}

/** A lease record: the time to live in seconds and the wall-clock time of expiry in milliseconds. */
export function encodeLease(lease: { ttlSeconds: number; expiresAt: number }): Buffer {
  const bytes = Buffer.allocUnsafe(16);
  bytes.writeDoubleLE(lease.ttlSeconds, 0);
  bytes.writeDoubleLE(lease.expiresAt, 8);
  return bytes;
}

export function decodeLease(bytes: Buffer): { ttlSeconds: number; expiresAt: number } {
  return { ttlSeconds: bytes.readDoubleLE(0), expiresAt: bytes.readDoubleLE(8) };
}

export function encodeLeaseId(id: bigint): Buffer {
  const bytes = Buffer.allocUnsafe(8);
  bytes.writeBigInt64BE(id);
  return bytes;
}

export function decodeLeaseId(bytes: Uint8Array): bigint {
  return new DataView(bytes.buffer, bytes.byteOffset, 8).getBigInt64(0);
}

/** The header and size of a record whose bytes may be anything; undefined when they are no record. */
export function readableRecord(record: Buffer): (RecordHeader & { valueBytes: number }) | undefined {
  if (record.length < headerSize) return undefined;
  const start = keyStartOf(record);
  if (record[0]! > (tombstoneFlag | leaseFlag) || record.length < start) return undefined;
  const valueBytes = record.length - start - record.readUInt32LE(1);
  if (valueBytes < 0) return undefined;
  const header = decodeHeader(record);
  const countable = [header.create, header.version].every((count) => Number.isSafeInteger(count) && count >= 0);
  return countable ? { ...header, valueBytes } : undefined;
}
