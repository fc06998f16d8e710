export { checkStore, type StoreReport } from './check-store';
export { dumpStore } from './dump-store';
export { hashKv, type HashKv } from './hash-kv';
export { restoreSnapshot, type Restored, type RestoreOptions } from './restore-snapshot';
export { saveOfflineSnapshot, saveSnapshot } from './save-snapshot';
export { type SnapshotStatus, snapshotStatus } from './snapshot-file';
export {
  etcdSnapshots,
  openSnapshot,
  type Snapshot,
  type SnapshotOptions,
  type Viewed,
  writeSnapshot,
} from './write-snapshot';
