// Applies the operations of a transaction to a batch, as etcd's applier does: first all compares (nested ones too) are
// evaluated against the state before the transaction, then everything that can fail is checked on the chosen path, and
// only then is anything written.

import type { Batch } from './batch';
import { compareHolds } from './compare';
import { liveAt, type Version } from './key-index';
import { type RangeSource, readRange, toKeyValue } from './range-read';
import type {
  Compare,
  DeleteRangeRequest,
  KeyValue,
  Operation,
  OperationResponse,
  PutRequest,
  RangeRequest,
  RangeResponse,
  TxnRequest,
  TxnResponse,
} from './store';
import { StoreError } from './store-error';

/** The branch a transaction takes, and those its nested transactions take, in order of their appearance. */
interface Path {
  succeeded: boolean;
  operations: Operation[];
  nested: Path[];
}

/** Evaluates all compares as of `at`. */
export function choosePath(source: RangeSource, request: TxnRequest, at: number): Path {
  const succeeded = request.compare.every((compare) => holds(source, compare, at));
  const operations = succeeded ? request.success : request.failure;
  const nested: Path[] = [];
  for (const operation of operations) {
    if (operation.type === 'txn') nested.push(choosePath(source, operation.request, at));
  }
  return { succeeded, operations, nested };
}

function holds(source: RangeSource, compare: Compare, at: number): boolean {
  const test = (version: Version | undefined) => compareHolds(compare, version, () => source.valueOf(version!));
  if (!compare.rangeEnd) {
    const entry = source.index.get(compare.key);
    return test(entry && liveAt(entry, at));
  }
  let found = false;
  let result = true;
  source.index.visit(compare.key, compare.rangeEnd, (entry) => {
    const version = liveAt(entry, at);
    if (!version) return true;
    found = true;
    result = test(version);
    return result;
  });
  return found ? result : test(undefined);
}

/** Refuses a revision that is compacted or in the future; 0 and absent mean the latest. */
export function checkRevision(revision: number | undefined, limits: { compacted: number; current: number }): void {
  if (!revision) return;
  if (revision > limits.current) throw new StoreError('FUTURE_REVISION', { details: { revision, ...limits } });
  if (revision < limits.compacted) throw new StoreError('COMPACTED', { details: { revision, ...limits } });
}

/** Answers a transaction that cannot write, at the committed revision. */
export function readTxn(
  source: RangeSource & { committed: number; compacted: number },
  request: TxnRequest,
): TxnResponse {
  const revision = source.committed;
  const path = choosePath(source, request, revision);
  const range = (rangeRequest: RangeRequest) => {
    checkRevision(rangeRequest.revision, { compacted: source.compacted, current: revision });
    return readRange(source, rangeRequest, { at: rangeRequest.revision || revision, revision });
  };
  const answer = (path: Path): TxnResponse => {
    let nextNested = 0;
    const responses = path.operations.map((operation): OperationResponse => {
      if (operation.type === 'range') return { type: 'range', response: range(operation.request) };
      return { type: 'txn', response: answer(path.nested[nextNested++]!) };
    });
    return { revision, succeeded: path.succeeded, responses };
  };
  return answer(path);
}

/** Applies a transaction inside `batch.transact`. */
export function applyTxn(batch: Batch, request: TxnRequest): TxnResponse {
  const path = choosePath(batch.state, request, batch.writing);
  checkPath(batch, path);
  const response = runPath(batch, path);
  setRevision(response, batch.answering);
  return response;
}

function checkPath(batch: Batch, path: Path): void {
  for (const operation of path.operations) {
    if (operation.type === 'range') {
      const current = batch.revision;
      checkRevision(operation.request.revision, { compacted: batch.state.compacted, current });
    } else if (operation.type === 'put') checkPutState(batch, operation.request);
  }
  for (const nested of path.nested) checkPath(batch, nested);
}

function checkPutState(batch: Batch, request: PutRequest): void {
  if ((request.ignoreValue || request.ignoreLease) && !batch.live(request.key)) throw new StoreError('KEY_NOT_FOUND');
  if (request.lease) batch.state.leases.require(request.lease);
}

function runPath(batch: Batch, path: Path): TxnResponse {
  let nextNested = 0;
  const responses = path.operations.map((operation): OperationResponse => {
    switch (operation.type) {
      case 'range':
        return { type: 'range', response: rangeInside(batch, operation.request) };
      case 'put':
        return { type: 'put', response: runPut(batch, operation.request) };
      case 'delete':
        return { type: 'delete', response: runDelete(batch, operation.request) };
      case 'txn':
        return { type: 'txn', response: runPath(batch, path.nested[nextNested++]!) };
    }
  });
  return { revision: batch.answering, succeeded: path.succeeded, responses };
}

/** Nested responses tell the revision of the whole transaction, which is known only at its end. */
function setRevision(response: TxnResponse, revision: number): void {
  response.revision = revision;
  for (const inner of response.responses) if (inner.type === 'txn') setRevision(inner.response, revision);
}

function rangeInside(batch: Batch, request: RangeRequest): RangeResponse {
  return readRange(batch.state, request, { at: request.revision || batch.writing, revision: batch.answering });
}

/** A single put, checks included. */
export function applyPut(batch: Batch, request: PutRequest): { revision: number; prevKv?: KeyValue } {
  checkPutState(batch, request);
  const { prevKv } = runPut(batch, request);
  return prevKv ? { revision: batch.answering, prevKv } : { revision: batch.answering };
}

function runPut(batch: Batch, request: PutRequest): { prevKv?: KeyValue } {
  const { state } = batch;
  const previous = request.ignoreValue || request.ignoreLease ? batch.live(request.key) : undefined;
  const value = request.ignoreValue && previous ? state.valueOf(previous) : request.value;
  const lease = request.ignoreLease && previous ? previous.lease : (request.lease ?? 0n);
  const change = batch.put(request.key, value, lease);
  if (!request.prevKv || !change.previous) return {};
  return { prevKv: toKeyValue(change.entry, change.previous, state.valueOf(change.previous)) };
}

export function applyDelete(
  batch: Batch,
  request: DeleteRangeRequest,
): { revision: number; deleted: number; prevKvs: KeyValue[] } {
  const response = runDelete(batch, request);
  return { revision: batch.answering, ...response };
}

function runDelete(batch: Batch, request: DeleteRangeRequest): { deleted: number; prevKvs: KeyValue[] } {
  const { state } = batch;
  const doomed: { key: string; version: Version }[] = [];
  const prevKvs: KeyValue[] = [];
  state.index.visit(request.key, request.rangeEnd, (entry) => {
    const version = liveAt(entry, batch.writing);
    if (!version) return;
    doomed.push({ key: entry.key, version });
    if (request.prevKv) prevKvs.push(toKeyValue(entry, version, state.valueOf(version)));
  });
  for (const { key, version } of doomed) batch.delete(key, version);
  return { deleted: doomed.length, prevKvs };
}
