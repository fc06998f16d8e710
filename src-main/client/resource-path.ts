// How a resource, a name and options become a request path and query of the Kubernetes REST API. Pure.

import type { KubeObject } from '../api';
import { PilothouseError } from '../kit';
import type { ListOptions, ObjectName, Resource, WatchOptions, WriteOptions } from './client';

/** What a resource's path is completed with; `name` absent addresses the collection. */
export interface PathTarget {
  namespace?: string;
  name?: string;
  subresource?: string;
}

/** `/api/v1/namespaces/default/pods/x/log`, `/apis/apps/v1/deployments`, … */
export function resourcePath(resource: Resource, target: PathTarget = {}): string {
  const base = resource.group === '' ? `/api/${resource.version}` : `/apis/${resource.group}/${resource.version}`;
  const parts = [base];
  if (resource.namespaced && target.namespace) parts.push('namespaces', encodeURIComponent(target.namespace));
  else if (resource.namespaced && target.name) {
    throw new PilothouseError({
      code: 'CLIENT_NAMESPACE_REQUIRED',
      message: `${resource.plural} "${target.name}" was addressed without its namespace`,
    });
  }
  parts.push(resource.plural);
  if (target.name) parts.push(encodeURIComponent(target.name));
  if (target.subresource) parts.push(target.subresource);
  return parts.join('/');
}

/** `namespace/name`, or `name` alone for cluster-scoped objects: the key informers and work queues use. */
export function objectKey(object: Pick<KubeObject, 'metadata'>): string {
  const { namespace, name = '' } = object.metadata;
  return namespace ? `${namespace}/${name}` : name;
}

/** The inverse of `objectKey`. */
export function splitKey(key: string): ObjectName {
  const slash = key.indexOf('/');
  return slash < 0 ? { name: key } : { namespace: key.slice(0, slash), name: key.slice(slash + 1) };
}

export function nameOf(object: Pick<KubeObject, 'metadata'>): ObjectName {
  return { namespace: object.metadata.namespace, name: object.metadata.name ?? '' };
}

/** A query string with its question mark, or nothing; members that are absent, empty or false are left out. */
export function queryString(query: Record<string, string | number | boolean | undefined>): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== '' && value !== false) search.set(name, String(value));
  }
  const text = search.toString();
  return text === '' ? '' : `?${text}`;
}

export function listQuery(options: ListOptions): string {
  const { labelSelector, fieldSelector, limit, resourceVersion } = options;
  return queryString({ labelSelector, fieldSelector, limit, continue: options.continue, resourceVersion });
}

export function watchQuery(options: WatchOptions): string {
  const { labelSelector, fieldSelector, resourceVersion, timeoutSeconds } = options;
  return queryString({
    watch: true,
    allowWatchBookmarks: options.allowBookmarks,
    labelSelector,
    fieldSelector,
    resourceVersion,
    timeoutSeconds,
  });
}

export function writeQuery(options: WriteOptions): string {
  return queryString({ dryRun: options.dryRun ? 'All' : undefined, fieldManager: options.fieldManager });
}
