// The store's catalogue of errors: one code each, with the message text an etcd v3 client expects (rpctypes), so that
// the gRPC facade can pass the message through and clients that compare texts keep working.

import { PilothouseError } from '../kit';

const catalogue = {
  COMPACTED: 'etcdserver: mvcc: required revision has been compacted',
  FUTURE_REVISION: 'etcdserver: mvcc: required revision is a future revision',
  DUPLICATE_KEY: 'etcdserver: duplicate key given in txn request',
  TOO_MANY_OPERATIONS: 'etcdserver: too many operations in txn request',
  EMPTY_KEY: 'etcdserver: key is not provided',
  KEY_NOT_FOUND: 'etcdserver: key not found',
  VALUE_PROVIDED: 'etcdserver: value is provided',
  LEASE_PROVIDED: 'etcdserver: lease is provided',
  LEASE_NOT_FOUND: 'etcdserver: requested lease not found',
  LEASE_EXISTS: 'etcdserver: lease already exists',
  LEASE_TTL_TOO_LARGE: 'etcdserver: too large lease TTL',
  STORE_CLOSED: 'etcdserver: server stopped',
  NO_SPACE: 'etcdserver: mvcc: database space exceeded',
  STORE_LOCKED: 'the store directory is in use by another process',
  DISK_FAILURE: 'the store could not write to its disk',
  STORE_MISSING: 'there is no store in the directory',
  DIRECTORY_NOT_EMPTY: 'the directory to restore into is not empty',
  SNAPSHOT_CORRUPT: 'the snapshot file is damaged or not a snapshot',
  SNAPSHOT_UNSUPPORTED: 'the snapshot file holds something this store cannot take over',
  UNAVAILABLE: 'no etcd member answers',
  OUTCOME_UNKNOWN: 'etcd did not answer: it is not known whether the write took place',
  REFUSED: 'etcd refused the request',
} as const;

export type StoreErrorCode = keyof typeof catalogue;

/** After these the very same call may succeed; OUTCOME_UNKNOWN is none of them, for it may have succeeded already. */
const retryable: ReadonlySet<StoreErrorCode> = new Set(['DISK_FAILURE', 'STORE_CLOSED', 'UNAVAILABLE'] as const);

/** Every error the store itself raises. Branch on `code`. */
export class StoreError extends PilothouseError {
  declare readonly code: StoreErrorCode;

  constructor(
    code: StoreErrorCode,
    options: { hint?: string; cause?: unknown; details?: Record<string, unknown> } = {},
  ) {
    super({
      code,
      message: catalogue[code],
      retryable: retryable.has(code),
      ...options,
    });
  }
}
