// The store's requests and responses as etcd's messages, one to one. Integers travel as decimal strings, so lease ids
// keep all 64 bits; revisions fit a number for longer than any etcd lives.

import type { ResponseHeader, WireKeyValue } from '../etcd';
import type {
  Compare,
  DeleteRangeRequest,
  KeyValue,
  Operation,
  OperationResponse,
  PutRequest,
  RangeRequest,
  RangeResponse,
  StoreEvent,
  TxnRequest,
  TxnResponse,
} from '../store';
import { StoreError } from '../store-error';
import type { KeySpace } from './key-space';

/** Every answer has a header. */
export interface Answer {
  header: ResponseHeader;
}
export interface WireRange extends Answer {
  kvs: WireKeyValue[];
  more: boolean;
  count: string;
}
export interface WirePut extends Answer {
  prev_kv: WireKeyValue | null;
}
export interface WireDelete extends Answer {
  deleted: string;
  prev_kvs: WireKeyValue[];
}
interface WireOperationResponse {
  response_range?: WireRange;
  response_put?: WirePut;
  response_delete_range?: WireDelete;
  response_txn?: WireTxn;
}
export interface WireTxn extends Answer {
  succeeded: boolean;
  responses: WireOperationResponse[];
}
export interface WireEvent {
  /** 0 = put, 1 = delete. */
  type: number;
  kv: WireKeyValue;
  prev_kv: WireKeyValue | null;
}

const sortOrders = { ascend: 1, descend: 2 } as const;
const sortTargets = { key: 0, version: 1, create: 2, mod: 3, value: 4 } as const;
const compareResults = { equal: 0, greater: 1, less: 2, 'not-equal': 3 } as const;
const compareTargets = { version: 0, create: 1, mod: 2, value: 3, lease: 4 } as const;
const compareFields = {
  version: 'version',
  create: 'create_revision',
  mod: 'mod_revision',
  value: 'value',
  lease: 'lease',
} as const;

export class Wire {
  constructor(readonly keys: KeySpace) {}

  range(request: RangeRequest): object {
    const { sort } = request;
    return {
      key: this.keys.key(request.key),
      range_end: this.keys.end(request.rangeEnd),
      revision: request.revision ?? 0,
      limit: request.limit ?? 0,
      keys_only: request.keysOnly ?? false,
      count_only: request.countOnly ?? false,
      sort_order: sort ? sortOrders[sort.order] : 0,
      sort_target: sort ? sortTargets[sort.target] : 0,
      min_mod_revision: request.minModRevision ?? 0,
      max_mod_revision: request.maxModRevision ?? 0,
      min_create_revision: request.minCreateRevision ?? 0,
      max_create_revision: request.maxCreateRevision ?? 0,
    };
  }

  put(request: PutRequest): object {
    return {
      key: this.keys.key(request.key),
      value: request.value,
      lease: String(request.lease ?? 0n),
      prev_kv: request.prevKv ?? false,
      ignore_value: request.ignoreValue ?? false,
      ignore_lease: request.ignoreLease ?? false,
    };
  }

  delete(request: DeleteRangeRequest): object {
    return {
      key: this.keys.key(request.key),
      range_end: this.keys.end(request.rangeEnd),
      prev_kv: request.prevKv ?? false,
    };
  }

  txn(request: TxnRequest): object {
    return {
      compare: request.compare.map((compare) => this.compare(compare)),
      success: request.success.map((operation) => this.operation(operation)),
      failure: request.failure.map((operation) => this.operation(operation)),
    };
  }

  private compare(compare: Compare): object {
    const operand = compare.target === 'lease' ? String(compare.operand) : compare.operand;
    return {
      key: this.keys.key(compare.key),
      range_end: this.keys.end(compare.rangeEnd),
      result: compareResults[compare.operator],
      target: compareTargets[compare.target],
      [compareFields[compare.target]]: operand,
    };
  }

  private operation(operation: Operation): object {
    switch (operation.type) {
      case 'range':
        return { request_range: this.range(operation.request) };
      case 'put':
        return { request_put: this.put(operation.request) };
      case 'delete':
        return { request_delete_range: this.delete(operation.request) };
      case 'txn':
        return { request_txn: this.txn(operation.request) };
    }
  }

  keyValue(kv: WireKeyValue): KeyValue {
    return {
      key: this.keys.strip(kv.key),
      value: kv.value,
      createRevision: Number(kv.create_revision),
      modRevision: Number(kv.mod_revision),
      version: Number(kv.version),
      lease: BigInt(kv.lease),
    };
  }

  event({ type, kv, prev_kv: previous }: WireEvent): StoreEvent {
    const event = { type: type === 1 ? ('delete' as const) : ('put' as const), kv: this.keyValue(kv) };
    return previous ? { ...event, prevKv: this.keyValue(previous) } : event;
  }

  /** The parts of a transaction have headers without a revision: theirs is the transaction's. */
  rangeAnswer(answer: WireRange, revision = revisionOf(answer)): RangeResponse {
    const kvs = answer.kvs.map((kv) => this.keyValue(kv));
    return { revision, kvs, more: answer.more, count: Number(answer.count) };
  }

  putAnswer({ prev_kv: previous }: WirePut): { prevKv?: KeyValue } {
    return previous ? { prevKv: this.keyValue(previous) } : {};
  }

  deleteAnswer(answer: WireDelete): { deleted: number; prevKvs: KeyValue[] } {
    return { deleted: Number(answer.deleted), prevKvs: answer.prev_kvs.map((kv) => this.keyValue(kv)) };
  }

  txnAnswer(answer: WireTxn, revision = revisionOf(answer)): TxnResponse {
    const responses = answer.responses.map((response) => this.operationAnswer(response, revision));
    return { revision, succeeded: answer.succeeded, responses };
  }

  private operationAnswer(response: WireOperationResponse, revision: number): OperationResponse {
    const { response_range: range, response_put: put, response_delete_range: deleted, response_txn: txn } = response;
    if (range) return { type: 'range', response: this.rangeAnswer(range, revision) };
    if (put) return { type: 'put', response: this.putAnswer(put) };
    if (deleted) return { type: 'delete', response: this.deleteAnswer(deleted) };
    if (txn) return { type: 'txn', response: this.txnAnswer(txn, revision) };
    throw new StoreError('REFUSED', { hint: 'etcd answered an operation of a kind that was not asked for.' });
  }
}

export function revisionOf({ header }: Answer): number {
  return Number(header.revision);
}
