// etcd's gRPC protocol as grpc-js wants it: the service definitions made from resources/proto. Messages keep the field
// names of the proto files; absent fields of a request have their proto default; int64 and uint64 are decimal strings
// (no rounding of lease and member ids), enums numbers, bytes Buffers. A field of a oneof is absent unless it was sent.

import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { ServiceDefinition } from '@grpc/grpc-js';
import { loadSync, type PackageDefinition } from '@grpc/proto-loader';

const files = ['kv', 'auth', 'rpc', 'lock', 'election', 'health', 'reflection'].map((name) => `${name}.proto`);

/** The folder of the proto files, both from source and from a build: resources/proto of the nearest folder above. */
export function protoDirectory(start: string = import.meta.dirname): string {
  for (let folder = start; ; folder = dirname(folder)) {
    const candidate = join(folder, 'resources', 'proto');
    if (existsSync(join(candidate, 'rpc.proto'))) return candidate;
    if (dirname(folder) === folder) throw new Error(`resources/proto is not in any folder above ${start}`);
  }
}

/** All packages as loaded; what reflection answers from. */
export const packages: PackageDefinition = loadSync(files, {
  includeDirs: [protoDirectory()],
  keepCase: true,
  longs: String,
  defaults: true,
  oneofs: true,
});

/** A service of the proto files by its full name, e.g. `etcdserverpb.KV`. */
export function serviceDefinition(name: string): ServiceDefinition {
  const definition = packages[name];
  if (!definition || 'format' in definition) throw new Error(`${name} is not a service of resources/proto`);
  return definition as ServiceDefinition;
}

export const services = {
  kv: serviceDefinition('etcdserverpb.KV'),
  watch: serviceDefinition('etcdserverpb.Watch'),
  lease: serviceDefinition('etcdserverpb.Lease'),
  cluster: serviceDefinition('etcdserverpb.Cluster'),
  maintenance: serviceDefinition('etcdserverpb.Maintenance'),
  auth: serviceDefinition('etcdserverpb.Auth'),
  lock: serviceDefinition('v3lockpb.Lock'),
  election: serviceDefinition('v3electionpb.Election'),
  health: serviceDefinition('grpc.health.v1.Health'),
  reflection: serviceDefinition('grpc.reflection.v1alpha.ServerReflection'),
} as const;

/** Header of every response. */
export interface ResponseHeader {
  cluster_id: string;
  member_id: string;
  revision: string;
  raft_term: string;
}

/** mvccpb.KeyValue. */
export interface WireKeyValue {
  key: Buffer;
  create_revision: string;
  mod_revision: string;
  version: string;
  value: Buffer;
  lease: string;
}
