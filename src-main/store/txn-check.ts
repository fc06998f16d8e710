// Checks of a transaction that need no data: sizes, empty keys, contradictory put options and keys written twice. They
// are etcd's (server/etcdserver/api/v3rpc checkTxnRequest), done before the request queues for a commit.

import { inRange } from './key-index';
import type { DeleteRangeRequest, Key, Operation, PutRequest, TxnRequest } from './store';
import { StoreError } from './store-error';

export const maxTxnOperations = 128;

/** Throws TOO_MANY_OPERATIONS, EMPTY_KEY, VALUE_PROVIDED, LEASE_PROVIDED or DUPLICATE_KEY. */
export function checkTxn(request: TxnRequest): void {
  checkShape(request, maxTxnOperations);
  collectWrites(request.success);
  collectWrites(request.failure);
}

export function checkKey(key: Key): void {
  if (key.length === 0) throw new StoreError('EMPTY_KEY');
}

export function checkPut(request: PutRequest): void {
  checkKey(request.key);
  if (request.ignoreValue && request.value.length > 0) throw new StoreError('VALUE_PROVIDED');
  if (request.ignoreLease && request.lease) throw new StoreError('LEASE_PROVIDED');
}

/** Whether no branch of the transaction can write. */
export function isReadOnly(request: TxnRequest): boolean {
  const reads = (operation: Operation) =>
    operation.type === 'range' || (operation.type === 'txn' && isReadOnly(operation.request));
  return request.success.every(reads) && request.failure.every(reads);
}

function checkShape(request: TxnRequest, allowed: number): void {
  const operations = Math.max(request.compare.length, request.success.length, request.failure.length);
  if (operations > allowed) throw new StoreError('TOO_MANY_OPERATIONS');
  for (const compare of request.compare) checkKey(compare.key);
  for (const branch of [request.success, request.failure]) {
    for (const operation of branch) {
      if (operation.type === 'txn') checkShape(operation.request, allowed - operations);
      else if (operation.type === 'put') checkPut(operation.request);
      else checkKey(operation.request.key);
    }
  }
}

interface Writes {
  puts: Set<Key>;
  deletes: DeleteRangeRequest[];
}

/** What a branch may write; throws DUPLICATE_KEY when a key could be put twice, or put and deleted. */
function collectWrites(operations: readonly Operation[]): Writes {
  const puts = new Set<Key>();
  const deletes: DeleteRangeRequest[] = [];
  const refuse = (key: Key) => {
    throw new StoreError('DUPLICATE_KEY', { details: { key } });
  };
  const deleted = (key: Key) => deletes.some((range) => inRange(key, range.key, range.rangeEnd));
  for (const operation of operations) if (operation.type === 'delete') deletes.push(operation.request);
  for (const operation of operations) {
    if (operation.type !== 'txn') continue;
    const success = collectWrites(operation.request.success);
    const failure = collectWrites(operation.request.failure);
    for (const key of success.puts) if (puts.has(key) || deleted(key)) refuse(key);
    for (const key of failure.puts) if (puts.has(key) || deleted(key)) refuse(key);
    // Only one of the two branches runs, so a key put by both is put once.
    for (const key of success.puts) puts.add(key);
    for (const key of failure.puts) puts.add(key);
    deletes.push(...success.deletes, ...failure.deletes);
  }
  for (const operation of operations) {
    if (operation.type !== 'put') continue;
    const { key } = operation.request;
    if (puts.has(key) || deleted(key)) refuse(key);
    puts.add(key);
  }
  return { puts, deletes };
}
