// The Client over HTTPS: used by the agents on the nodes, the host and the command line.

import type { KubeList, KubeObject, Status, WatchEvent } from '../api';
import { PilothouseError } from '../kit';
import { ApiError } from './api-error';
import type { Client, DeleteOptions, ObjectName, PatchType, Resource, WatchOptions, WriteOptions } from './client';
import { deepFreeze } from './deep-freeze';
import { HttpsTransport, type RawRequest, type RawResponse, type TransportOptions } from './https-transport';
import { jsonLines } from './json-lines';
import { listQuery, nameOf, queryString, resourcePath, watchQuery, writeQuery } from './resource-path';

export interface LogOptions {
  namespace: string;
  name: string;
  container?: string;
  follow?: boolean;
  previous?: boolean;
  tailLines?: number;
  sinceSeconds?: number;
  limitBytes?: number;
  timestamps?: boolean;
  /** Ends the log quietly. */
  signal: AbortSignal;
}

export interface HttpsClient extends Client {
  /** Any request of the API server; throws ApiError for a status of 400 and above. */
  requestRaw(request: RawRequest): Promise<RawResponse>;
  /** A response read as it arrives, on a connection of its own; ends quietly when `request.signal` aborts. */
  stream(request: RawRequest): AsyncIterable<Buffer>;
  /** The log of a Pod's container, as the node answers it. */
  openLog(options: LogOptions): AsyncIterable<Buffer>;
  /** Closes idle connections. */
  close(): void;
}

const patchContentTypes: Record<PatchType, string> = {
  json: 'application/json-patch+json',
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
};
const jsonContent = { 'content-type': 'application/json' };
/** Beyond a watch's own timeout: when the server has not ended it by then, the connection is dead. */
const watchGraceMs = 30_000;

/** A Client of the API server at `server`. One per process is enough; connections are kept and shared. */
export function createHttpsClient(options: TransportOptions): HttpsClient {
  const transport = new HttpsTransport(options);

  async function call<T>(request: RawRequest): Promise<T> {
    const { body } = await transport.request(request);
    return deepFreeze(parseAnswer(body, request) as T);
  }

  async function* stream(request: RawRequest): AsyncGenerator<Buffer> {
    if (request.signal?.aborted) return;
    try {
      const response = await transport.stream(request);
      try {
        for await (const chunk of response) yield chunk as Buffer;
      } finally {
        response.destroy();
      }
    } catch (error) {
      if (!request.signal?.aborted) throw transport.translate(error, request);
    }
  }

  async function* watch<T extends KubeObject>(resource: Resource, options: WatchOptions) {
    const path = resourcePath(resource, { namespace: options.namespace }) + watchQuery(options);
    const stopped = new AbortController();
    const stop = () => stopped.abort();
    options.signal.addEventListener('abort', stop, { once: true });
    if (options.signal.aborted) stop();
    const { timeoutSeconds } = options;
    const timer = timeoutSeconds && setTimeout(stop, timeoutSeconds * 1000 + watchGraceMs);
    try {
      for await (const line of jsonLines(stream({ method: 'GET', path, signal: stopped.signal }))) {
        const event = deepFreeze(line as WatchEvent<T>);
        if (event.type === 'ERROR') throw new ApiError(event.object as unknown as Status);
        yield event;
      }
    } finally {
      if (timer) clearTimeout(timer);
      options.signal.removeEventListener('abort', stop);
      stop();
    }
  }

  return {
    get: (resource, name, subresource) =>
      call({ method: 'GET', path: resourcePath(resource, { ...name, subresource }) }),
    list: <T extends KubeObject>(resource: Resource, listOptions = {}) => {
      const path = resourcePath(resource, listOptions) + listQuery(listOptions);
      return call<KubeList<T>>({ method: 'GET', path });
    },
    watch,
    create: (resource, object, createOptions = {}) => {
      const namespace = createOptions.namespace ?? object.metadata.namespace;
      const { name, subresource } = createOptions;
      const path = resourcePath(resource, { namespace, name, subresource }) + writeQuery(createOptions);
      return call({ method: 'POST', path, headers: jsonContent, body: JSON.stringify(object) });
    },
    update: (resource, object, updateOptions = {}) => {
      const target = { ...nameOf(object), subresource: updateOptions.subresource };
      const path = resourcePath(resource, target) + writeQuery(updateOptions);
      return call({ method: 'PUT', path, headers: jsonContent, body: JSON.stringify(object) });
    },
    patch: (resource: Resource, name: ObjectName, patch: { type: PatchType; body: unknown } & WriteOptions) => {
      const path = resourcePath(resource, { ...name, subresource: patch.subresource }) + writeQuery(patch);
      const headers = { 'content-type': patchContentTypes[patch.type] };
      return call({ method: 'PATCH', path, headers, body: JSON.stringify(patch.body) });
    },
    async delete(resource: Resource, name: ObjectName, deleteOptions: DeleteOptions = {}) {
      const body = JSON.stringify({ kind: 'DeleteOptions', apiVersion: 'v1', ...deleteOptions });
      await transport.request({ method: 'DELETE', path: resourcePath(resource, name), headers: jsonContent, body });
    },
    requestRaw: (request) => transport.request(request),
    stream,
    openLog({ namespace, name, signal, ...query }) {
      const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(name)}/log`;
      return stream({ method: 'GET', path: path + queryString(query), headers: { accept: '*/*' }, signal });
    },
    close: () => transport.close(),
  };
}

function parseAnswer(body: Buffer, request: RawRequest): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch (error) {
    throw new PilothouseError({
      code: 'API_BAD_ANSWER',
      message: `${request.method} ${request.path}: the answer is not JSON`,
      hint: 'Check that the address is that of a Kubernetes API server.',
      cause: error,
      details: { body: body.toString('utf8', 0, 256) },
    });
  }
}
