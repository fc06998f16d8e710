// The queue that etcd's locks and elections are: everybody puts a key "NAME/LEASE" with its lease, the order is that of
// the keys' creation, and who waits watches only the one before. A key goes when its owner leaves or its lease ends, so
// the queue needs no keeper. Key layout and order are etcd's, so that etcdctl's own locks and elections, which clients
// carry out with plain puts and watches, stand in the same queue.

import type { ServiceError } from '@grpc/grpc-js';
import { status } from '@grpc/grpc-js';
import { grpcError } from '../etcd';
import { type Key, type KeyValue, prefixEnd, type Store, type StoreEvent } from '../store';

/** Where somebody stands. */
export interface Place {
  key: Key;
  /** Create revision of the key: the order in the queue, and the proof that it is still the same place. */
  createRevision: number;
  value: Buffer;
}

const defaultTtlSeconds = 60;

/** The key of a lease in a queue, as etcd's clients name it. */
export function placeKey(name: Key, lease: bigint): Key {
  return `${name}/${BigInt.asUintN(64, lease).toString(16)}`;
}

/** The lease asked for, or a new one of a minute: whoever names none cannot keep it alive. */
export async function leaseOf(store: Store, lease: bigint): Promise<bigint> {
  if (lease) return lease;
  return (await store.grantLease({ ttlSeconds: defaultTtlSeconds })).id;
}

/** Stands in the queue, at the end or where this lease stands already. Error: LEASE_NOT_FOUND. */
export async function enter(store: Store, request: { name: Key; lease: bigint; value: Buffer }): Promise<Place> {
  const { value, lease } = request;
  const key = placeKey(request.name, lease);
  const { succeeded, responses, revision } = await store.txn({
    compare: [{ key, target: 'create', operator: 'equal', operand: 0 }],
    success: [{ type: 'put', request: { key, value, lease } }],
    failure: [{ type: 'range', request: { key } }],
  });
  const [first] = responses;
  const existing = !succeeded && first?.type === 'range' ? first.response.kvs[0] : undefined;
  return existing
    ? { key, createRevision: existing.createRevision, value: existing.value }
    : { key, createRevision: revision, value };
}

/**
 * Resolves when nobody is before this place any more. Leaves the queue when the caller goes; error "session is expired"
 * when the place itself was lost while waiting.
 */
export async function waitTurn(store: Store, request: { name: Key; place: Place; signal: AbortSignal }): Promise<void> {
  const { place, signal } = request;
  const prefix = `${request.name}/`;
  try {
    for (;;) {
      const before = await store.range({
        key: prefix,
        rangeEnd: prefixEnd(prefix),
        maxCreateRevision: place.createRevision - 1,
        sort: { target: 'create', order: 'descend' },
        limit: 1,
      });
      const [next] = before.kvs;
      if (!next) break;
      const gone = (events: StoreEvent[]) => (events.some(({ type }) => type === 'delete') ? true : undefined);
      await follow(store, { key: next.key, from: before.revision + 1, signal }, gone);
    }
  } catch (error) {
    await leave(store, place);
    throw error;
  }
  const { kvs } = await store.range({ key: place.key });
  if (kvs[0]?.createRevision !== place.createRevision) throw sessionExpired();
}

/** Gives the place up, unless it is somebody else's by now. */
export async function leave(
  store: Store,
  { key, createRevision }: Pick<Place, 'key' | 'createRevision'>,
): Promise<number> {
  const { revision } = await store.txn({
    compare: [{ key, target: 'create', operator: 'equal', operand: createRevision }],
    success: [{ type: 'delete', request: { key } }],
    failure: [],
  });
  return revision;
}

/** Who is first, with the revision that was read at. */
export async function first(store: Store, name: Key): Promise<{ kv: KeyValue | undefined; revision: number }> {
  const prefix = `${name}/`;
  const { kvs, revision } = await store.range({
    key: prefix,
    rangeEnd: prefixEnd(prefix),
    sort: { target: 'create', order: 'ascend' },
    limit: 1,
  });
  return { kv: kvs[0], revision };
}

/** Watches until `look` answers something. Rejects when the watch ends or the signal aborts. */
export function follow<T>(
  store: Store,
  watched: { key: Key; rangeEnd?: Key; from: number; signal: AbortSignal },
  look: (events: StoreEvent[]) => T | undefined,
): Promise<T> {
  const { key, rangeEnd, from, signal } = watched;
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const finish = () => {
      watch.cancel();
      signal.removeEventListener('abort', onAbort);
    };
    const onAbort = () => {
      finish();
      reject(signal.reason);
    };
    const watch = store.watch(
      { key, rangeEnd, startRevision: from },
      {
        onEvents(events) {
          const found = look(events);
          if (found === undefined) return;
          finish();
          resolve(found);
        },
        onEnd(error) {
          finish();
          reject(error ?? new Error('the watch ended'));
        },
      },
    );
    signal.addEventListener('abort', onAbort, { once: true });
  });
}

function sessionExpired(): ServiceError {
  return grpcError(status.UNKNOWN, 'mutex: session is expired');
}
