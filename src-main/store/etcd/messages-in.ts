// Requests of the hot services, from the wire straight to the store's own types.

import type { ServiceError } from '@grpc/grpc-js';
import type {
  Compare,
  DeleteRangeRequest,
  Operation,
  PutRequest,
  RangeRequest,
  SortTarget,
  TxnRequest,
} from '../store';
import { etcdError } from './grpc-error';
import { WireReader } from './wire';

/** A request with the size it had on the wire. */
export interface Sized<T> {
  request: T;
  bytes: number;
  /** What the message asks for can be read but not done: the error to answer. */
  failure?: ServiceError;
}

const noBytes = Buffer.alloc(0);
const sortTargets: readonly SortTarget[] = ['key', 'version', 'create', 'mod', 'value'];
const operators = ['equal', 'greater', 'less', 'not-equal'] as const;

/** Nested deeper, a transaction is refused: a small message must not exhaust the stack. */
const maxNesting = 100;

export interface WireRange {
  request: RangeRequest;
  /** The sort the client asked for does not exist. */
  invalidSort: boolean;
}

export function decodeRange(bytes: Buffer): WireRange {
  return readRange(new WireReader(bytes));
}

export function decodePut(bytes: Buffer): Sized<PutRequest> {
  return { request: readPut(new WireReader(bytes)), bytes: bytes.length };
}

export function decodeDelete(bytes: Buffer): Sized<DeleteRangeRequest> {
  return { request: readDelete(new WireReader(bytes)), bytes: bytes.length };
}

export function decodeTxn(bytes: Buffer): Sized<TxnRequest> {
  const refused: ServiceError[] = [];
  const request = readTxn(new WireReader(bytes), { depth: 0, refused });
  return { request, bytes: bytes.length, failure: refused[0] };
}

function readRange(reader: WireReader): WireRange {
  const request: RangeRequest = { key: '' };
  let order = 0;
  let target = 0;
  while (!reader.done) {
    const tag = reader.tag();
    if (tag === 0x0a) request.key = reader.key();
    else if (tag === 0x12) request.rangeEnd = reader.key() || undefined;
    else if (tag === 0x18) request.limit = Math.max(0, reader.number());
    else if (tag === 0x20) request.revision = Math.max(0, reader.number());
    else if (tag === 0x28) order = reader.number();
    else if (tag === 0x30) target = reader.number();
    else if (tag === 0x40) request.keysOnly = reader.boolean();
    else if (tag === 0x48) request.countOnly = reader.boolean();
    else if (tag === 0x50) request.minModRevision = reader.number();
    else if (tag === 0x58) request.maxModRevision = reader.number();
    else if (tag === 0x60) request.minCreateRevision = reader.number();
    else if (tag === 0x68) request.maxCreateRevision = reader.number();
    else reader.skip(tag);
  }
  const sortTarget = sortTargets[target];
  // A target without an order means ascending, and key order is what ranges have anyway.
  if (sortTarget && (order > 0 || target > 0)) {
    request.sort = { target: sortTarget, order: order === 2 ? 'descend' : 'ascend' };
  }
  return { request, invalidSort: order < 0 || order > 2 || sortTarget === undefined };
}

function readPut(reader: WireReader): PutRequest {
  const request: PutRequest = { key: '', value: noBytes };
  while (!reader.done) {
    const tag = reader.tag();
    if (tag === 0x0a) request.key = reader.key();
    else if (tag === 0x12) request.value = Buffer.from(reader.buffer());
    else if (tag === 0x18) request.lease = reader.bigint();
    else if (tag === 0x20) request.prevKv = reader.boolean();
    else if (tag === 0x28) request.ignoreValue = reader.boolean();
    else if (tag === 0x30) request.ignoreLease = reader.boolean();
    else reader.skip(tag);
  }
  return request;
}

function readDelete(reader: WireReader): DeleteRangeRequest {
  const request: DeleteRangeRequest = { key: '' };
  while (!reader.done) {
    const tag = reader.tag();
    if (tag === 0x0a) request.key = reader.key();
    else if (tag === 0x12) request.rangeEnd = reader.key() || undefined;
    else if (tag === 0x18) request.prevKv = reader.boolean();
    else reader.skip(tag);
  }
  return request;
}

interface TxnContext {
  depth: number;
  refused: ServiceError[];
}

function readTxn(reader: WireReader, context: TxnContext): TxnRequest {
  if (context.depth > maxNesting) throw new RangeError('transactions are nested too deeply');
  const request: TxnRequest = { compare: [], success: [], failure: [] };
  while (!reader.done) {
    const tag = reader.tag();
    if (tag === 0x0a) request.compare.push(readCompare(reader.message()));
    else if (tag === 0x12) readOperation(reader.message(), request.success, context);
    else if (tag === 0x1a) readOperation(reader.message(), request.failure, context);
    else reader.skip(tag);
  }
  return request;
}

function readOperation(reader: WireReader, into: Operation[], context: TxnContext): void {
  let operation: Operation | undefined;
  while (!reader.done) {
    const tag = reader.tag();
    if (tag === 0x0a) {
      const { request, invalidSort } = readRange(reader.message());
      if (invalidSort) context.refused.push(etcdError('InvalidSortOption'));
      operation = { type: 'range', request };
    } else if (tag === 0x12) operation = { type: 'put', request: readPut(reader.message()) };
    else if (tag === 0x1a) operation = { type: 'delete', request: readDelete(reader.message()) };
    else if (tag === 0x22) {
      const request = readTxn(reader.message(), { ...context, depth: context.depth + 1 });
      operation = { type: 'txn', request };
    } else reader.skip(tag);
  }
  // An operation without a kind is answered by etcd with this error.
  if (operation) into.push(operation);
  else context.refused.push(etcdError('KeyNotFound'));
}

const compareTargets = ['version', 'create', 'mod', 'value', 'lease'] as const;

function readCompare(reader: WireReader): Compare {
  let result = 0;
  let target = 0;
  let key = '';
  let rangeEnd: string | undefined;
  let operand = 0;
  let value: Buffer = noBytes;
  let lease = 0n;
  while (!reader.done) {
    const tag = reader.tag();
    if (tag === 0x08) result = reader.number();
    else if (tag === 0x10) target = reader.number();
    else if (tag === 0x1a) key = reader.key();
    else if (tag === 0x20 || tag === 0x28 || tag === 0x30) operand = reader.number();
    else if (tag === 0x3a) value = Buffer.from(reader.buffer());
    else if (tag === 0x40) lease = reader.bigint();
    else if (tag === 0x202) rangeEnd = reader.key() || undefined;
    else reader.skip(tag);
  }
  const name = compareTargets[target] ?? 'version';
  const base = { key, rangeEnd, operator: operators[result] ?? 'equal' };
  if (name === 'value') return { ...base, target: name, operand: value };
  if (name === 'lease') return { ...base, target: name, operand: lease };
  return { ...base, target: name, operand };
}
