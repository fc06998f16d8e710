// Opens a store over a real etcd cluster.

import { type Clock, type Logger, systemClock } from '../../kit';
import type { Key, Store } from '../store';
import { KeySpace } from './key-space';
import { Wire } from './wire';

export interface OpenEtcdStoreOptions {
  /** URLs of the members' client ports; each is used when the one before fails. */
  endpoints: readonly string[];
  /** PEM; for https endpoints. */
  tls?: { ca?: string; cert?: string; key?: string };
  /** For an etcd with authentication by password. */
  user?: { name: string; password: string };
  logger: Logger;
  clock?: Clock;
  /** Everything the store keeps is below this prefix, which its callers never see. */
  keyPrefix?: Key;
  /** How long a request is tried before UNAVAILABLE; half a minute when absent. */
  callMs?: number;
}

/** Resolves when a quorum of the cluster answers. Errors: UNAVAILABLE, REFUSED. */
export async function openEtcdStore(options: OpenEtcdStoreOptions): Promise<Store> {
  const { endpoints, tls, user, logger, clock = systemClock, callMs } = options;
  // gRPC and the protocol's descriptions take a moment to load, which only those pay who use an etcd.
  const [{ Members }, { ExternalStore }] = await Promise.all([import('./members'), import('./external-store')]);
  const members = new Members({ endpoints, tls, user, logger, clock, callMs });
  const store = new ExternalStore({ members, wire: new Wire(new KeySpace(options.keyPrefix)), logger });
  try {
    await store.syncRevision();
    return store;
  } catch (error) {
    await store.close();
    throw error;
  }
}
