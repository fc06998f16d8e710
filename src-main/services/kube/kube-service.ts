// KubeService: the window's reading and writing of Kubernetes objects, over one HTTPS client per cluster. The window
// has no way around the API server.

import type { KubeObject } from '../../api';
import type { HttpsClient } from '../../client';
import type { KubeService } from '../../contract';
import { PilothouseError } from '../../kit';
import { toRpcError } from './errors';
import { wholeLines } from './log-stream';
import { watchStream } from './watch-stream';

export interface KubeServiceOptions {
  /** The administrator's client of a cluster. Errors: CLUSTER_NOT_FOUND, CLUSTER_NOT_RUNNING. */
  client(cluster: string): HttpsClient;
  /** The resource of an object's apiVersion and kind, from discovery. */
  resourceOf?: (
    client: HttpsClient,
    object: KubeObject,
  ) => Promise<{
    group: string;
    version: string;
    plural: string;
    namespaced: boolean;
  }>;
}

export function createKubeService(options: KubeServiceOptions): KubeService {
  const resourceOf = options.resourceOf ?? discoverResource;
  return {
    list: ({ cluster, resource, ...selection }) => translated(() => options.client(cluster).list(resource, selection)),
    watch: ({ cluster, ...request }, signal) => watchStream({ client: options.client(cluster), request, signal }),
    get: ({ cluster, resource, namespace, name }) =>
      translated(() => options.client(cluster).get<KubeObject>(resource, { namespace, name })),
    create: ({ cluster, object, dryRun }) =>
      translated(async () => {
        const client = options.client(cluster);
        const typed = object as KubeObject;
        const resource = await resourceOf(client, typed);
        const namespace = resource.namespaced ? (typed.metadata.namespace ?? 'default') : undefined;
        return client.create(resource, typed, { namespace, dryRun, fieldManager: 'pilothouse' });
      }),
    delete: ({ cluster, resource, namespace, name, gracePeriodSeconds }) =>
      translated(() => options.client(cluster).delete(resource, { namespace, name }, { gracePeriodSeconds })),
    scale: ({ cluster, resource, namespace, name, replicas }) =>
      translated(async () => {
        const scale = await options
          .client(cluster)
          .patch<KubeObject & { spec?: { replicas?: number } }>(
            resource,
            { namespace, name },
            { type: 'merge', subresource: 'scale', body: { spec: { replicas } }, fieldManager: 'pilothouse' },
          );
        return { replicas: scale.spec?.replicas ?? 0 };
      }),
    logs: ({ cluster, pod, ...request }, signal) =>
      translatedStream(wholeLines(options.client(cluster).openLog({ ...request, name: pod, signal }))),
  };
}

async function translated<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw toRpcError(error);
  }
}

async function* translatedStream<T>(source: AsyncIterable<T>): AsyncGenerator<T> {
  try {
    yield* source;
  } catch (error) {
    throw toRpcError(error);
  }
}

interface ResourceList {
  resources: { name: string; kind: string; namespaced: boolean }[];
}

/** Asks the API server which resource serves a kind. */
async function discoverResource(client: HttpsClient, object: KubeObject) {
  const [version, group = ''] = (object.apiVersion ?? '').split('/').reverse();
  const path = group === '' ? `/api/${version}` : `/apis/${group}/${version}`;
  const { body } = await client.requestRaw({ method: 'GET', path });
  const list = JSON.parse(body.toString('utf8')) as ResourceList;
  const found = list.resources.find((item) => item.kind === object.kind && !item.name.includes('/'));
  if (!found) {
    throw new PilothouseError({
      code: 'INVALID',
      message: `kind: ${object.kind} is not known in ${object.apiVersion}`,
      hint: `Known there: ${[...new Set(list.resources.map((item) => item.kind))].join(', ')}.`,
      details: { field: 'kind' },
    });
  }
  return { group, version: version!, plural: found.name, namespaced: found.namespaced };
}
