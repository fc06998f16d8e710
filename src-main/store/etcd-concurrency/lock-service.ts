// etcd's v3lock: a lock is held by who is first in its queue, as long as the lease lives.

import { type MountedService, services } from '../etcd';
import { prefixEnd } from '../store';
import { bytesOf, type ConcurrencyOptions, keyOf, unary } from './handler';
import { enter, leaseOf, waitTurn } from './queue';

interface LockRequest {
  name: Buffer;
  lease: string;
}

const noValue = Buffer.alloc(0);

export function lockService(options: ConcurrencyOptions): MountedService {
  const { store, header } = options;
  const Lock = unary(options, async (request: LockRequest, { signal, permit }) => {
    const name = keyOf(request.name);
    const range = { key: `${name}/`, rangeEnd: prefixEnd(`${name}/`) };
    await permit([
      { kind: 'read', ...range },
      { kind: 'write', ...range },
    ]);
    const lease = await leaseOf(store, BigInt(request.lease));
    const place = await enter(store, { name, lease, value: noValue });
    await waitTurn(store, { name, place, signal });
    return { header: header(), key: bytesOf(place.key) };
  });
  /** Whoever knows the key may unlock, as in etcd. */
  const Unlock = unary(options, async (request: { key: Buffer }, { permit }) => {
    const key = keyOf(request.key);
    await permit([{ kind: 'write', key }]);
    const { revision } = await store.deleteRange({ key });
    return { header: header(revision) };
  });
  return { definition: services.lock, implementation: { Lock, Unlock } };
}
