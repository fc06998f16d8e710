// What other parts plug into the etcd endpoint: more services, an authorizer, alarms and snapshots. The endpoint works
// without any of them: everybody may do everything, there are no alarms, and a snapshot is refused.

import type { PeerCertificate } from 'node:tls';
import type { Metadata, ServiceDefinition, UntypedServiceImplementation } from '@grpc/grpc-js';
import type { Key } from '../store';
import type { ResponseHeader } from './protocol';

/** A gRPC service to serve beside etcd's own. */
export interface MountedService {
  definition: ServiceDefinition;
  implementation: UntypedServiceImplementation;
}

/** One thing a call wants to do. `lease` = put or delete whatever keys hang on it; `admin` = what etcd asks root for. */
export type Access =
  | { kind: 'read' | 'write'; key: Key; rangeEnd?: Key }
  | { kind: 'lease'; id: bigint }
  | { kind: 'admin' };

export interface CallIdentity {
  /** The full path, e.g. `/etcdserverpb.KV/Range`. */
  method: string;
  /** Carries etcd's `token`. */
  metadata: Metadata;
  /** The client's certificate when it was verified against the client CA. */
  peerCertificate: PeerCertificate | undefined;
}

/** Returns when the call may do all of it, else throws the gRPC error to answer (`etcdError('PermissionDenied')`). */
export type Authorize = (identity: CallIdentity, access: readonly Access[]) => void | Promise<void>;

/** An active alarm: type 1 = NOSPACE, 2 = CORRUPT, as in AlarmType. */
export interface Alarm {
  memberId: bigint;
  type: number;
}

export interface AlarmProvider {
  list(): Alarm[];
  /** Both answer the alarms that were changed. `memberId` 0n = this member. */
  activate(alarm: Alarm): Promise<Alarm[]>;
  deactivate(alarm: Alarm): Promise<Alarm[]>;
}

export interface SnapshotStream {
  /** Bytes of the whole snapshot, trailing SHA-256 included. */
  size: number;
  chunks: AsyncIterable<Buffer>;
  /** Called when the chunks are not read to their end. */
  close?(): void;
}

export interface SnapshotProvider {
  /** A bbolt file as `etcdctl snapshot save` writes it, of the moment of the call. */
  open(): Promise<SnapshotStream>;
}

export interface ClusterIdentity {
  clusterId: bigint;
  memberId: bigint;
  name: string;
}

/** Makes the header of a response; the store's present revision unless one is given. */
export type MakeHeader = (revision?: number) => ResponseHeader;
