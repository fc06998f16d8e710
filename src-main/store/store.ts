// The contract of the store: etcd v3's data model (https://etcd.io/docs/v3.5/learning/api/). One implementation sits on
// LMDB, another will sit on a real etcd. The API server, the gRPC facade and the tests know only this file.
//
// Keys are byte strings held in JavaScript strings with one character a byte (latin1): cheap to compare, sort and hash.
// Values are bytes. Revisions are integers; the first write of an empty store makes revision 2, as in etcd.

export type Key = string;

export interface KeyValue {
  key: Key;
  /** Shared by all who asked: never write into it. A buffer given to a put is likewise the store's from then on. */
  value: Buffer;
  /** Revision at which the key was last created. */
  createRevision: number;
  /** Revision of this version. */
  modRevision: number;
  /** 1 at creation, plus 1 with every put; a deletion resets it. */
  version: number;
  /** Lease the key is attached to, 0n when none. */
  lease: bigint;
}

export type SortTarget = 'key' | 'version' | 'create' | 'mod' | 'value';

export interface RangeRequest {
  key: Key;
  /** Exclusive end of the range; absent = the one key, "\0" = everything from `key` on. */
  rangeEnd?: Key;
  /** Read as of this revision; absent or 0 = now. Errors: COMPACTED, FUTURE_REVISION. */
  revision?: number;
  /** Most key-values answered; `more` and `count` tell of the rest. */
  limit?: number;
  keysOnly?: boolean;
  countOnly?: boolean;
  sort?: { target: SortTarget; order: 'ascend' | 'descend' };
  minModRevision?: number;
  maxModRevision?: number;
  minCreateRevision?: number;
  maxCreateRevision?: number;
}

export interface RangeResponse {
  /** The store's revision when it answered. */
  revision: number;
  kvs: KeyValue[];
  more: boolean;
  /** Keys in the range, whatever the limit. */
  count: number;
}

export interface PutRequest {
  key: Key;
  value: Buffer;
  lease?: bigint;
  prevKv?: boolean;
  ignoreValue?: boolean;
  ignoreLease?: boolean;
}

export interface DeleteRangeRequest {
  key: Key;
  rangeEnd?: Key;
  prevKv?: boolean;
}

export type Compare = { key: Key; rangeEnd?: Key; operator: 'equal' | 'not-equal' | 'greater' | 'less' } & (
  | { target: 'version' | 'create' | 'mod'; operand: number }
  | { target: 'value'; operand: Buffer }
  | { target: 'lease'; operand: bigint }
);

export type Operation =
  | { type: 'range'; request: RangeRequest }
  | { type: 'put'; request: PutRequest }
  | { type: 'delete'; request: DeleteRangeRequest }
  | { type: 'txn'; request: TxnRequest };

export interface TxnRequest {
  compare: Compare[];
  success: Operation[];
  failure: Operation[];
}

export type OperationResponse =
  | { type: 'range'; response: RangeResponse }
  | { type: 'put'; response: { prevKv?: KeyValue } }
  | { type: 'delete'; response: { deleted: number; prevKvs: KeyValue[] } }
  | { type: 'txn'; response: TxnResponse };

export interface TxnResponse {
  /** The revision of this transaction if it wrote, else the current one. */
  revision: number;
  succeeded: boolean;
  responses: OperationResponse[];
}

export interface StoreEvent {
  type: 'put' | 'delete';
  /** For a deletion only key and modRevision (the deleting revision) are set; value is empty. */
  kv: KeyValue;
  prevKv?: KeyValue;
}

export interface WatchRequest {
  key: Key;
  rangeEnd?: Key;
  /** First revision to deliver; absent = the next one. Error COMPACTED when no longer there. */
  startRevision?: number;
  prevKv?: boolean;
}

export interface WatchListener {
  /**
   * All events of one or more whole revisions, in order; no gap, no duplicate, never a revision split in two calls.
   * `revision`: everything up to it has now been told. Called before the promise of the write itself resolves.
   */
  onEvents(events: StoreEvent[], revision: number): void;
  /** The watch is over and will not speak again: compacted under it, or the store closed. */
  onEnd(error: Error | undefined): void;
}

export interface Watch {
  cancel(): void;
}

export interface LeaseStatus {
  id: bigint;
  /** The time to live that was granted. */
  grantedSeconds: number;
  /** What is left of it, rounded down; never below 0. */
  remainingSeconds: number;
  /** The keys attached, in key order. */
  keys: Key[];
}

export interface Store {
  /** The revision of the last committed write; of a store that others write to as well: the newest one heard of. */
  revision(): number;
  /**
   * A revision that is not older than any write acknowledged to anybody before the call. Only stores that others write
   * to have it; elsewhere `revision()` is that already.
   */
  syncRevision?(): Promise<number>;
  compactRevision(): number;
  range(request: RangeRequest): Promise<RangeResponse>;
  put(request: PutRequest): Promise<{ revision: number; prevKv?: KeyValue }>;
  deleteRange(request: DeleteRangeRequest): Promise<{ revision: number; deleted: number; prevKvs: KeyValue[] }>;
  /** Atomic; resolved only when durable on disk. */
  txn(request: TxnRequest): Promise<TxnResponse>;
  watch(request: WatchRequest, listener: WatchListener): Watch;
  /** Forgets what is superseded at or before `revision`. Errors: COMPACTED, FUTURE_REVISION. */
  compact(revision: number): Promise<void>;
  /** Grants a lease that deletes its keys in one revision when it runs out. */
  grantLease(request: { ttlSeconds: number; id?: bigint }): Promise<{ id: bigint; ttlSeconds: number }>;
  /** Ends a lease at once and deletes its keys in one revision. Error: LEASE_NOT_FOUND. */
  revokeLease(id: bigint): Promise<{ revision: number }>;
  /** Starts the lease's time to live anew. Error: LEASE_NOT_FOUND. */
  keepAliveLease(id: bigint): Promise<{ ttlSeconds: number }>;
  /** Error: LEASE_NOT_FOUND. */
  leaseStatus(id: bigint): Promise<LeaseStatus>;
  listLeases(): Promise<bigint[]>;
  close(): Promise<void>;
}

export interface StoreSize {
  /** Bytes of the files on disk. */
  total: number;
  /** Bytes of it that hold data; the rest is reused by later writes, and given back by `defragment`. */
  inUse: number;
}

/** A small record beside the history, for what etcd keeps in buckets of its own: users, roles, alarms. */
export interface SideRecord {
  /** The name of etcd's bucket for it, so that snapshots carry it: auth, authUsers, authRoles, alarm, cluster. */
  table: string;
  key: Buffer;
  /** Absent = remove. */
  value?: Buffer;
}

/** One version of a key, or its deletion (`tombstone`; then only key and revision mean anything). */
export interface HistoryRecord extends KeyValue {
  /** The place within the revision, from 0. */
  sub: number;
  tombstone: boolean;
}

export interface LeaseFacts {
  id: bigint;
  ttlSeconds: number;
  /** Milliseconds since the epoch. */
  expiresAt: number;
}

/** The whole store as of one moment, whatever is written meanwhile. Close it soon: it keeps old pages from reuse. */
export interface StoreView {
  readonly revision: number;
  /** The last compaction begun, and the last one completed; 0 when there was none. */
  readonly compactionScheduled: number;
  readonly compactionFinished: number;
  /** All records in order of revision. */
  records(): Iterable<HistoryRecord>;
  leases(): LeaseFacts[];
  sideRecords(table: string): { key: Buffer; value: Buffer }[];
  close(): void;
}

/** Asked before anything that makes the store grow, with the bytes it costs; refuses by throwing. */
export type WriteGuard = (bytes: number) => void;

/** What a store on this machine's disk offers beyond the contract that a remote one fulfils too. */
export interface LocalStore extends Store {
  size(): StoreSize;
  openView(): StoreView;
  /** Copies what is in use into new files and drops the old ones. Writes wait meanwhile; reads and watches go on. */
  defragment(): Promise<void>;
  /** Puts a guard before puts and lease grants, in place of the last one. Deletions and compactions are never asked. */
  guardWrites(guard: WriteGuard | undefined): void;
  sideRecords(table: string): { key: Buffer; value: Buffer }[];
  /** Writes all or nothing; resolved when durable. */
  writeSideRecords(records: readonly SideRecord[]): Promise<void>;
}

/** The key after every key that starts with `prefix` (etcd's clientv3.GetPrefixRangeEnd). */
export function prefixEnd(prefix: Key): Key {
  for (let i = prefix.length - 1; i >= 0; i--) {
    const code = prefix.charCodeAt(i);
    if (code < 0xff) return prefix.slice(0, i) + String.fromCharCode(code + 1);
  }
  return '\0';
}
