// What a write costs in bytes when a quota is kept: etcd's own estimate, so that both fill up at the same point.

import type { Operation, PutRequest, TxnRequest } from './store';

/** What etcd adds for each key-value beside its bytes, and takes for a lease. */
const keyValueOverhead = 256;
export const leaseCost = 64;

export function putCost(request: PutRequest): number {
  return keyValueOverhead + request.key.length + request.value.length;
}

/** The cost of the dearer branch; 0 when neither puts anything. */
export function txnCost(request: TxnRequest): number {
  return Math.max(branchCost(request.success), branchCost(request.failure));
}

function branchCost(operations: readonly Operation[]): number {
  let cost = 0;
  for (const operation of operations) {
    if (operation.type === 'put') cost += putCost(operation.request);
    else if (operation.type === 'txn') cost += txnCost(operation.request);
  }
  return cost;
}
