// The two messages etcd keeps in its buckets, in protobuf's wire format: mvccpb.KeyValue and leasepb.Lease. Fields are
// written in order of their numbers and zero ones are left out, byte for byte as etcd does, because hashes are taken
// over these bytes.

import { StoreError } from '../store-error';

export interface StoredKeyValue {
  /** One character a byte. */
  key: string;
  value: Buffer;
  createRevision: number;
  modRevision: number;
  version: number;
  lease: bigint;
}

export interface StoredLease {
  id: bigint;
  ttl: bigint;
  /** 0 = not told: all of the time to live. */
  remaining: bigint;
}

const noBytes = Buffer.alloc(0);
const varint = 0;
const bytesType = 2;

/** The length of the message, for the same arguments as encodeKeyValue. */
export function keyValueSize(kv: StoredKeyValue): number {
  let size = 0;
  if (kv.key.length > 0) size += 1 + varintSize(kv.key.length) + kv.key.length;
  for (const number of [kv.createRevision, kv.modRevision, kv.version]) if (number > 0) size += 1 + varintSize(number);
  if (kv.value.length > 0) size += 1 + varintSize(kv.value.length) + kv.value.length;
  if (kv.lease !== 0n) size += 1 + bigSize(kv.lease);
  return size;
}

export function encodeKeyValue(kv: StoredKeyValue): Buffer {
  const out = Buffer.allocUnsafe(keyValueSize(kv));
  let at = 0;
  if (kv.key.length > 0) {
    at = writeHead(out, at, { field: 1, type: bytesType, value: kv.key.length });
    at += out.write(kv.key, at, 'latin1');
  }
  if (kv.createRevision > 0) at = writeHead(out, at, { field: 2, type: varint, value: kv.createRevision });
  if (kv.modRevision > 0) at = writeHead(out, at, { field: 3, type: varint, value: kv.modRevision });
  if (kv.version > 0) at = writeHead(out, at, { field: 4, type: varint, value: kv.version });
  if (kv.value.length > 0) {
    at = writeHead(out, at, { field: 5, type: bytesType, value: kv.value.length });
    at += kv.value.copy(out, at);
  }
  if (kv.lease !== 0n) {
    out[at] = (6 << 3) | varint;
    writeBig(out, at + 1, kv.lease);
  }
  return out;
}

export function decodeKeyValue(bytes: Buffer): StoredKeyValue {
  const kv: StoredKeyValue = { key: '', value: noBytes, createRevision: 0, modRevision: 0, version: 0, lease: 0n };
  visitFields(bytes, (field, value) => {
    if (field === 1 && Buffer.isBuffer(value)) kv.key = value.toString('latin1');
    else if (field === 5 && Buffer.isBuffer(value)) kv.value = value;
    else if (Buffer.isBuffer(value)) return;
    else if (field === 2) kv.createRevision = safe(value);
    else if (field === 3) kv.modRevision = safe(value);
    else if (field === 4) kv.version = safe(value);
    else if (field === 6) kv.lease = signed(value);
  });
  return kv;
}

export function encodeLeaseMessage(lease: StoredLease): Buffer {
  const fields = [lease.id, lease.ttl, lease.remaining];
  const out = Buffer.alloc(33);
  let at = 0;
  fields.forEach((value, i) => {
    if (value === 0n) return;
    out[at] = ((i + 1) << 3) | varint;
    at = writeBig(out, at + 1, value);
  });
  return out.subarray(0, at);
}

export function decodeLeaseMessage(bytes: Buffer): StoredLease {
  const lease: StoredLease = { id: 0n, ttl: 0n, remaining: 0n };
  visitFields(bytes, (field, value) => {
    if (Buffer.isBuffer(value)) return;
    if (field === 1) lease.id = signed(value);
    else if (field === 2) lease.ttl = signed(value);
    else if (field === 3) lease.remaining = signed(value);
  });
  return lease;
}

function visitFields(bytes: Buffer, visit: (field: number, value: number | bigint | Buffer) => void): void {
  let at = 0;
  const number = (): number | bigint => {
    // Seven bytes are 49 bits: nearly all numbers are done here, without a big one.
    let small = 0;
    let factor = 1;
    const start = at;
    for (let i = 0; i < 7; i++, factor *= 128) {
      const byte = bytes[at++];
      if (byte === undefined) throw malformed('a number is cut short');
      small += (byte & 0x7f) * factor;
      if (byte < 0x80) return small;
    }
    at = start;
    let result = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = bytes[at++];
      if (byte === undefined) break;
      result |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return result;
    }
    throw malformed('a number is cut short');
  };
  while (at < bytes.length) {
    const head = Number(number());
    const field = Math.floor(head / 8);
    if (head % 8 === varint) visit(field, number());
    else if (head % 8 === bytesType) {
      const length = Number(number());
      if (at + length > bytes.length) throw malformed('bytes are cut short');
      visit(field, bytes.subarray(at, at + length));
      at += length;
    } else throw malformed('a field has an unknown type');
  }
}

function malformed(reason: string): StoreError {
  return new StoreError('SNAPSHOT_CORRUPT', { details: { reason: `a record is malformed: ${reason}` } });
}

function signed(value: number | bigint): bigint {
  return BigInt.asIntN(64, BigInt(value));
}

function safe(value: number | bigint): number {
  if (typeof value === 'number') return value;
  const number = Number(BigInt.asIntN(64, value));
  if (Number.isSafeInteger(number) && number >= 0) return number;
  throw new StoreError('SNAPSHOT_UNSUPPORTED', {
    details: { reason: 'a revision is out of range', value: String(value) },
  });
}

function varintSize(value: number): number {
  let size = 1;
  for (let rest = value; rest >= 128; rest = Math.floor(rest / 128)) size++;
  return size;
}

function bigSize(value: bigint): number {
  let size = 1;
  for (let rest = BigInt.asUintN(64, value); rest >= 128n; rest >>= 7n) size++;
  return size;
}

function writeHead(out: Buffer, at: number, field: { field: number; type: number; value: number }): number {
  let position = at;
  out[position++] = (field.field << 3) | field.type;
  let rest = field.value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) out[position++] = (rest % 128) | 0x80;
  out[position++] = rest;
  return position;
}

function writeBig(out: Buffer, at: number, value: bigint): number {
  let position = at;
  let rest = BigInt.asUintN(64, value);
  for (; rest >= 128n; rest >>= 7n) out[position++] = Number(rest & 0x7fn) | 0x80;
  out[position++] = Number(rest);
  return position;
}
