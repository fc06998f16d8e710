// The one way our own components talk to an API server. Two implementations: over HTTPS (agents, host, CLI) and in
// process (controllers and scheduler beside the API server: no HTTP and no JSON in between, but never around
// authorization, admission or validation). Both pass the same contract suite.

import type { KubeList, KubeObject, WatchEvent } from '../api';

/** What is addressed: a kind's plural in its group and version. */
export interface Resource {
  group: string;
  version: string;
  plural: string;
  namespaced: boolean;
}

export interface ObjectName {
  /** Absent for cluster-scoped kinds. */
  namespace?: string;
  name: string;
}

export interface ListOptions {
  namespace?: string;
  labelSelector?: string;
  fieldSelector?: string;
  limit?: number;
  continue?: string;
  resourceVersion?: string;
}

export interface WatchOptions extends Omit<ListOptions, 'limit' | 'continue'> {
  allowBookmarks?: boolean;
  timeoutSeconds?: number;
  signal: AbortSignal;
}

export type PatchType = 'json' | 'merge' | 'strategic';

export interface WriteOptions {
  /** `status`, `scale`, `binding`, `eviction`, … */
  subresource?: string;
  dryRun?: boolean;
  fieldManager?: string;
}

export interface DeleteOptions {
  gracePeriodSeconds?: number;
  propagationPolicy?: 'Orphan' | 'Background' | 'Foreground';
  preconditions?: { uid?: string; resourceVersion?: string };
}

/**
 * Every method throws `ApiError` with the server's Status. Objects that come from `get`, `list` or `watch` are frozen
 * and shared: copy (structuredClone) before changing.
 */
export interface Client {
  get<T extends KubeObject>(resource: Resource, name: ObjectName, subresource?: string): Promise<T>;
  list<T extends KubeObject>(resource: Resource, options?: ListOptions): Promise<KubeList<T>>;
  /**
   * Events after `resourceVersion` (absent: the current state as ADDED first). Ends when the server ends it or the
   * signal aborts; throws ApiError with code 410 when the version is too old.
   */
  watch<T extends KubeObject>(resource: Resource, options: WatchOptions): AsyncIterable<WatchEvent<T>>;
  create<T extends KubeObject>(
    resource: Resource,
    object: T,
    options?: WriteOptions & { namespace?: string; name?: string },
  ): Promise<T>;
  update<T extends KubeObject>(resource: Resource, object: T, options?: WriteOptions): Promise<T>;
  patch<T extends KubeObject>(
    resource: Resource,
    name: ObjectName,
    patch: { type: PatchType; body: unknown } & WriteOptions,
  ): Promise<T>;
  delete(resource: Resource, name: ObjectName, options?: DeleteOptions): Promise<void>;
}
