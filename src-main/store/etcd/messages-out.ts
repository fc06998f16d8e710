// Responses of the hot services, from the store's own types straight to the wire. Sizes are computed first, so that each
// response is one exact buffer.

import type { KeyValue, OperationResponse, RangeResponse, StoreEvent, TxnResponse } from '../store';
import { bigVarintSize, bytesFieldSize, numberFieldSize, varintSize, WireWriter } from './wire';

/** The part of every header that never changes, already encoded: cluster, member and term. */
export class HeaderCodec {
  private readonly front: Buffer;
  private readonly back: Buffer;

  constructor(identity: { clusterId: bigint; memberId: bigint; raftTerm: number }) {
    const size = 2 + bigVarintSize64(identity.clusterId) + bigVarintSize64(identity.memberId);
    const front = new WireWriter(size);
    front.varint(0x08);
    front.bigVarint(identity.clusterId);
    front.varint(0x10);
    front.bigVarint(identity.memberId);
    this.front = front.bytes;
    const back = new WireWriter(1 + varintSize(identity.raftTerm));
    back.number(0x20, identity.raftTerm);
    this.back = back.bytes;
  }

  /** The header as field 1 of its message. */
  fieldSize(revision: number): number {
    return bytesFieldSize(this.size(revision));
  }

  write(writer: WireWriter, revision: number): void {
    writer.open(0x0a, this.size(revision));
    writer.raw(this.front);
    writer.number(0x18, revision);
    writer.raw(this.back);
  }

  private size(revision: number): number {
    return this.front.length + numberFieldSize(revision) + this.back.length;
  }
}

const bigVarintSize64 = (value: bigint) => bigVarintSize(BigInt.asUintN(64, value));
const booleanSize = (value: boolean) => (value ? 2 : 0);

/** Header and flags of a watch response. */
export interface WatchFrame {
  watchId: bigint;
  /** 0 = no revision in the header. */
  revision: number;
  created?: boolean;
  canceled?: boolean;
  compactRevision?: number;
  cancelReason?: string;
  fragment?: boolean;
  events?: readonly StoreEvent[];
}

export class ResponseEncoder {
  constructor(private readonly header: HeaderCodec) {}

  range(response: RangeResponse): Buffer {
    const writer = new WireWriter(this.rangeSize(response, response.revision));
    this.writeRange(writer, response, response.revision);
    return writer.bytes;
  }

  put(response: { revision: number; prevKv?: KeyValue }): Buffer {
    const { revision, prevKv } = response;
    const writer = new WireWriter(this.header.fieldSize(revision) + optionalKeyValueSize(prevKv));
    this.header.write(writer, revision);
    if (prevKv) writeKeyValue(writer, 0x12, prevKv);
    return writer.bytes;
  }

  delete(response: { revision: number; deleted: number; prevKvs: KeyValue[] }): Buffer {
    const { revision } = response;
    const writer = new WireWriter(this.header.fieldSize(revision) + deleteSize(response));
    this.header.write(writer, revision);
    writeDelete(writer, response);
    return writer.bytes;
  }

  txn(response: TxnResponse): Buffer {
    const sizes = new Map<object, number>();
    const writer = new WireWriter(this.header.fieldSize(response.revision) + this.txnSize(response, sizes));
    this.header.write(writer, response.revision);
    this.writeTxn(writer, response, sizes);
    return writer.bytes;
  }

  /** A response of nothing but its header. */
  headerOnly(revision: number): Buffer {
    const writer = new WireWriter(this.header.fieldSize(revision));
    this.header.write(writer, revision);
    return writer.bytes;
  }

  watch(frame: WatchFrame): Buffer {
    const { watchId, revision, compactRevision = 0, events = [] } = frame;
    const reason = frame.cancelReason ? Buffer.from(frame.cancelReason) : undefined;
    const flags = [frame.created, frame.canceled, frame.fragment].filter(Boolean).length;
    const bodies = events.map(eventSize);
    let size = this.header.fieldSize(revision) + 2 * flags + numberFieldSize(compactRevision);
    if (watchId !== 0n) size += 1 + bigVarintSize64(watchId);
    if (reason) size += bytesFieldSize(reason.length);
    for (const body of bodies) size += bytesFieldSize(body);
    const writer = new WireWriter(size);
    this.header.write(writer, revision);
    if (watchId !== 0n) {
      writer.varint(0x10);
      writer.bigVarint(watchId);
    }
    writer.number(0x18, frame.created ? 1 : 0);
    writer.number(0x20, frame.canceled ? 1 : 0);
    writer.number(0x28, compactRevision);
    if (reason) writer.buffer(0x32, reason);
    writer.number(0x38, frame.fragment ? 1 : 0);
    for (let i = 0; i < events.length; i++) writeEvent(writer, events[i]!, bodies[i]!);
    return writer.bytes;
  }

  private rangeSize(response: RangeResponse, revision: number | undefined): number {
    const header = revision === undefined ? 0 : this.header.fieldSize(revision);
    let size = header + booleanSize(response.more) + numberFieldSize(response.count);
    for (const kv of response.kvs) size += bytesFieldSize(keyValueSize(kv));
    return size;
  }

  private writeRange(writer: WireWriter, response: RangeResponse, revision: number | undefined): void {
    if (revision !== undefined) this.header.write(writer, revision);
    for (const kv of response.kvs) writeKeyValue(writer, 0x12, kv);
    writer.number(0x18, response.more ? 1 : 0);
    writer.number(0x20, response.count);
  }

  private txnSize(response: TxnResponse, sizes: Map<object, number>): number {
    let size = booleanSize(response.succeeded);
    for (const item of response.responses) {
      const inner = this.operationSize(item, { revision: response.revision, sizes });
      sizes.set(item, inner);
      size += bytesFieldSize(bytesFieldSize(inner));
    }
    return size;
  }

  private writeTxn(writer: WireWriter, response: TxnResponse, sizes: Map<object, number>): void {
    writer.number(0x10, response.succeeded ? 1 : 0);
    for (const item of response.responses) {
      const inner = sizes.get(item)!;
      writer.open(0x1a, bytesFieldSize(inner));
      writer.open(operationTags[item.type], inner);
      // Responses inside a transaction carry a header with nothing but the revision.
      writeRevisionHeader(writer, response.revision);
      if (item.type === 'txn') this.writeTxn(writer, item.response, sizes);
      else if (item.type === 'range') this.writeRange(writer, item.response, undefined);
      else if (item.type === 'delete') writeDelete(writer, item.response);
      else if (item.response.prevKv) writeKeyValue(writer, 0x12, item.response.prevKv);
    }
  }

  private operationSize(item: OperationResponse, context: { revision: number; sizes: Map<object, number> }): number {
    const header = bytesFieldSize(numberFieldSize(context.revision));
    if (item.type === 'txn') return header + this.txnSize(item.response, context.sizes);
    if (item.type === 'range') return header + this.rangeSize(item.response, undefined);
    if (item.type === 'delete') return header + deleteSize(item.response);
    return header + optionalKeyValueSize(item.response.prevKv);
  }
}

const operationTags = { range: 0x0a, put: 0x12, delete: 0x1a, txn: 0x22 } as const;

function writeRevisionHeader(writer: WireWriter, revision: number): void {
  writer.open(0x0a, numberFieldSize(revision));
  writer.number(0x18, revision);
}

function deleteSize(response: { deleted: number; prevKvs: KeyValue[] }): number {
  let size = numberFieldSize(response.deleted);
  for (const kv of response.prevKvs) size += bytesFieldSize(keyValueSize(kv));
  return size;
}

function writeDelete(writer: WireWriter, response: { deleted: number; prevKvs: KeyValue[] }): void {
  writer.number(0x10, response.deleted);
  for (const kv of response.prevKvs) writeKeyValue(writer, 0x1a, kv);
}

/** A key-value as etcd stores it: the bytes that its hashes are made over. */
export function encodeKeyValue(kv: KeyValue): Buffer {
  const writer = new WireWriter(keyValueSize(kv));
  writeKeyValueBody(writer, kv);
  return writer.bytes;
}

function keyValueSize(kv: KeyValue): number {
  let size =
    bytesFieldSize(kv.key.length) +
    numberFieldSize(kv.createRevision) +
    numberFieldSize(kv.modRevision) +
    numberFieldSize(kv.version);
  if (kv.value.length > 0) size += bytesFieldSize(kv.value.length);
  if (kv.lease !== 0n) size += 1 + bigVarintSize64(kv.lease);
  return size;
}

const optionalKeyValueSize = (kv: KeyValue | undefined) => (kv ? bytesFieldSize(keyValueSize(kv)) : 0);

function writeKeyValue(writer: WireWriter, tag: number, kv: KeyValue): void {
  writer.open(tag, keyValueSize(kv));
  writeKeyValueBody(writer, kv);
}

function writeKeyValueBody(writer: WireWriter, kv: KeyValue): void {
  writer.key(0x0a, kv.key);
  writer.number(0x10, kv.createRevision);
  writer.number(0x18, kv.modRevision);
  writer.number(0x20, kv.version);
  if (kv.value.length > 0) writer.buffer(0x2a, kv.value);
  if (kv.lease === 0n) return;
  writer.varint(0x30);
  writer.bigVarint(kv.lease);
}

/** Bytes of an event without its own tag and length. */
export function eventSize(event: StoreEvent): number {
  const kv = bytesFieldSize(keyValueSize(event.kv));
  const prevKv = event.prevKv ? bytesFieldSize(keyValueSize(event.prevKv)) : 0;
  return booleanSize(event.type === 'delete') + kv + prevKv;
}

function writeEvent(writer: WireWriter, event: StoreEvent, size: number): void {
  writer.open(0x5a, size);
  writer.number(0x08, event.type === 'delete' ? 1 : 0);
  writeKeyValue(writer, 0x12, event.kv);
  if (event.prevKv) writeKeyValue(writer, 0x1a, event.prevKv);
}
