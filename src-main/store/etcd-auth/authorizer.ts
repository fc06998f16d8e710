// Who calls, and whether they may. A token names the user; without one the verified certificate's common name does.

import { type Access, type Authorize, type CallIdentity, etcdError } from '../etcd';
import { type Store, StoreError } from '../index';
import type { AuthStore } from './auth-store';
import { isGranted } from './permissions';

/** The user of a call. Errors: InvalidAuthToken; UserEmpty when nobody is named. */
export function userOf(auth: AuthStore, { metadata, peerCertificate }: Omit<CallIdentity, 'method'>): string {
  const [shown = metadata.get('authorization')[0]] = metadata.get('token');
  if (shown !== undefined) {
    const user = auth.tokens.userOf(String(shown).replace(/^Bearer /, ''));
    if (user === undefined) throw etcdError('InvalidAuthToken');
    return user;
  }
  const name = peerCertificate?.subject?.CN;
  if (typeof name !== 'string' || name === '') throw etcdError('UserEmpty');
  return name;
}

/** The endpoint's authorizer. `store` tells which keys hang on a lease. */
export function authorizer(auth: AuthStore, store: Pick<Store, 'leaseStatus'>): Authorize {
  return async (identity, access) => {
    if (!auth.enabled || access.length === 0) return;
    const user = userOf(auth, identity);
    if (!auth.hasUser(user)) throw etcdError('PermissionDenied');
    if (auth.isRoot(user)) return;
    for (const item of access) {
      if (!(await mayDo(item))) throw etcdError('PermissionDenied');
    }

    async function mayDo(item: Access): Promise<boolean> {
      if (item.kind === 'admin') return false;
      const granted = auth.granted(user);
      if (item.kind !== 'lease') return isGranted(granted, item);
      return (await keysOf(item.id)).every((key) => isGranted(granted, { kind: 'write', key }));
    }
  };

  /** None for a lease that is not there: the call itself says so. */
  async function keysOf(id: bigint): Promise<string[]> {
    try {
      return (await store.leaseStatus(id)).keys;
    } catch (error) {
      if (error instanceof StoreError && error.code === 'LEASE_NOT_FOUND') return [];
      throw error;
    }
  }
}
