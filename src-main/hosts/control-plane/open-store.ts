// Where a cluster's state is kept: in a store of its own, or in an etcd the person named.

import { readFile } from 'node:fs/promises';
import { type Logger, messageOf, PilothouseError } from '../../kit';
import type { ControlPlaneConfig } from '../../services';
import { openEtcdStore, openLmdbStore, type Store, StoreError } from '../../store';

type Config = Pick<ControlPlaneConfig, 'storeDirectory' | 'etcd'>;

/** Errors: STORE_LOCKED; with an etcd: ETCD_FILE_UNREADABLE (details.field), ETCD_UNAVAILABLE. */
export async function openStore({ storeDirectory, etcd }: Config, logger: Logger): Promise<Store> {
  if (!etcd) return openLmdbStore({ directory: storeDirectory, logger });
  const [ca, cert, key] = await Promise.all([
    readPem('etcd.caFile', etcd.caFile),
    readPem('etcd.certFile', etcd.certFile),
    readPem('etcd.keyFile', etcd.keyFile),
  ]);
  try {
    return await openEtcdStore({
      endpoints: etcd.endpoints,
      tls: { ca, cert, key },
      keyPrefix: etcd.keyPrefix,
      logger,
    });
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    throw new PilothouseError({
      code: 'ETCD_UNAVAILABLE',
      message: `etcd.endpoints: ${error.message} (${etcd.endpoints.join(', ')})`,
      hint: error.hint ?? 'Start etcd, or check its addresses, certificates and the firewall between.',
      cause: error,
      details: { field: 'etcd.endpoints' },
      retryable: true,
    });
  }
}

async function readPem(field: string, path: string | undefined): Promise<string | undefined> {
  if (path === undefined) return undefined;
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new PilothouseError({
      code: 'ETCD_FILE_UNREADABLE',
      message: `${field} ${path}: ${messageOf(error)}`,
      hint: 'The file must be readable by the user Pilothouse runs as.',
      cause: error,
      details: { field },
    });
  }
}
