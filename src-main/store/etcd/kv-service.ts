// etcd's KV service over the store. Messages never pass through a generic protobuf library: see messages-in and -out.

import type { ServiceError } from '@grpc/grpc-js';
import { messageOf } from '../../kit';
import type { DeleteRangeRequest, Operation, PutRequest, TxnRequest } from '../store';
import { alreadyEncoded, permit, requireSize, type ServiceContext, unary } from './calls';
import type { Access, MountedService } from './extension';
import { etcdError } from './grpc-error';
import { decodeDelete, decodePut, decodeRange, decodeTxn, type Sized, type WireRange } from './messages-in';
import type { ResponseEncoder } from './messages-out';
import { services } from './protocol';

export function kvService(context: ServiceContext, encode: ResponseEncoder): MountedService {
  const { store } = context;
  const check = (sized: { bytes: number; failure?: ServiceError }) => {
    if (sized.failure) throw sized.failure;
    requireSize(context, sized.bytes);
  };
  const Range = unary<WireRange, Buffer>(async ({ request, invalidSort }, call) => {
    if (request.key.length === 0) throw etcdError('EmptyKey');
    if (invalidSort) throw etcdError('InvalidSortOption');
    await permit(context, call, () => [{ kind: 'read', key: request.key, rangeEnd: request.rangeEnd }]);
    return encode.range(await store.range(request));
  });
  const Put = unary<Sized<PutRequest>, Buffer>(async (sized, call) => {
    check(sized);
    await permit(context, call, () => putAccess(sized.request));
    return encode.put(await store.put(sized.request));
  });
  const DeleteRange = unary<Sized<DeleteRangeRequest>, Buffer>(async (sized, call) => {
    check(sized);
    await permit(context, call, () => deleteAccess(sized.request));
    return encode.delete(await store.deleteRange(sized.request));
  });
  const Txn = unary<Sized<TxnRequest>, Buffer>(async (sized, call) => {
    check(sized);
    await permit(context, call, () => txnAccess(sized.request));
    return encode.txn(await store.txn(sized.request));
  });
  const Compact = unary<{ revision: string; physical: boolean }, Buffer>(async (request, call) => {
    await permit(context, call, () => []);
    await compact(context, request);
    return encode.headerOnly(store.revision());
  });
  const { kv } = services;
  const definition = {
    ...kv,
    Range: { ...kv.Range!, requestDeserialize: decodeRange, responseSerialize: alreadyEncoded },
    Put: { ...kv.Put!, requestDeserialize: decodePut, responseSerialize: alreadyEncoded },
    DeleteRange: { ...kv.DeleteRange!, requestDeserialize: decodeDelete, responseSerialize: alreadyEncoded },
    Txn: { ...kv.Txn!, requestDeserialize: decodeTxn, responseSerialize: alreadyEncoded },
    Compact: { ...kv.Compact!, responseSerialize: alreadyEncoded },
  };
  return { definition, implementation: { Range, Put, DeleteRange, Txn, Compact } };
}

/** Answers when the revision is accepted; a physical compaction when the records are gone from the disk. */
async function compact(context: ServiceContext, request: { revision: string; physical: boolean }): Promise<void> {
  const { store, logger } = context;
  const revision = Number(request.revision);
  if (revision <= store.compactRevision()) throw etcdError('Compacted');
  if (revision > store.revision()) throw etcdError('FutureRev');
  const done = store.compact(revision);
  if (request.physical) return done;
  done.catch((error: unknown) => logger.error('compaction failed', { revision, error: messageOf(error) }));
}

function putAccess(request: PutRequest): Access[] {
  const { key, lease } = request;
  const access: Access[] = [{ kind: 'write', key }];
  if (request.prevKv) access.push({ kind: 'read', key });
  if (lease) access.push({ kind: 'lease', id: lease });
  return access;
}

function deleteAccess({ key, rangeEnd, prevKv }: DeleteRangeRequest): Access[] {
  const write: Access = { kind: 'write', key, rangeEnd };
  return prevKv ? [write, { kind: 'read', key, rangeEnd }] : [write];
}

function txnAccess(request: TxnRequest): Access[] {
  const compares = request.compare.map(({ key, rangeEnd }): Access => ({ kind: 'read', key, rangeEnd }));
  return [...compares, ...[...request.success, ...request.failure].flatMap(operationAccess)];
}

function operationAccess(operation: Operation): Access[] {
  if (operation.type === 'put') return putAccess(operation.request);
  if (operation.type === 'delete') return deleteAccess(operation.request);
  if (operation.type === 'txn') return txnAccess(operation.request);
  return [{ kind: 'read', key: operation.request.key, rangeEnd: operation.request.rangeEnd }];
}
