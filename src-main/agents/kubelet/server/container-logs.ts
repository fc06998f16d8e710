// GET /containerLogs/NAMESPACE/POD/CONTAINER: what `kubectl logs` reads, by upstream's query parameters.

import type { ServerResponse } from 'node:http';
import type { Pod } from '../../../api';
import { identityOf } from '../runtime/names';
import type { ContainerObservation, ContainerRuntime, LogOptions } from '../runtime/runtime';

export interface LogRequest {
  namespace: string;
  pod: string;
  container: string;
  query: URLSearchParams;
}

/** An answer other than the log itself. */
export class LogRefusal extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

function integer(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (text === null || text === '') return undefined;
  const value = Number(text);
  if (Number.isInteger(value) && value >= 0) return value;
  throw new LogRefusal(400, `${name}: Invalid value: "${text}": must be a whole number, 0 or more`);
}

const flag = (query: URLSearchParams, name: string) => ['true', '1', ''].includes(query.get(name) ?? 'false');

export interface ParsedLogQuery extends Omit<LogOptions, 'signal'> {
  previous: boolean;
  limitBytes?: number;
}

/** `now` is milliseconds since the epoch. Throws LogRefusal naming the parameter. */
export function parseLogQuery(query: URLSearchParams, now: number): ParsedLogQuery {
  const sinceSeconds = integer(query, 'sinceSeconds');
  const sinceTime = query.get('sinceTime');
  if (sinceSeconds !== undefined && sinceTime) {
    throw new LogRefusal(400, 'at most one of `sinceTime` or `sinceSeconds` may be specified');
  }
  const at = sinceTime ? Date.parse(sinceTime) : undefined;
  if (at !== undefined && Number.isNaN(at))
    throw new LogRefusal(400, `sinceTime: Invalid value: "${sinceTime}": must be RFC 3339`);
  return {
    follow: flag(query, 'follow'),
    previous: flag(query, 'previous'),
    timestamps: flag(query, 'timestamps'),
    tail: integer(query, 'tailLines') ?? integer(query, 'tail'),
    since: sinceSeconds === undefined ? (at === undefined ? undefined : at / 1000) : now / 1000 - sinceSeconds,
    limitBytes: integer(query, 'limitBytes'),
  };
}

/** The container whose log is meant. Throws LogRefusal in upstream's words. */
export function chooseContainer(
  pod: Pod | undefined,
  runs: readonly ContainerObservation[],
  request: LogRequest & { previous: boolean },
): ContainerObservation {
  const { container, pod: name } = request;
  if (!pod && runs.length === 0) throw new LogRefusal(404, `pod "${name}" does not exist`);
  const all = pod && [...pod.spec.containers, ...(pod.spec.initContainers ?? [])];
  if (all && !all.some((entry) => entry.name === container)) {
    throw new LogRefusal(404, `container "${container}" in pod "${name}" is not available`);
  }
  const own = runs.filter((entry) => entry.name === container && entry.state !== 'created');
  const chosen = request.previous ? own[own[0]?.state === 'running' || own.length > 1 ? 1 : 0] : own[0];
  if (chosen) return chosen;
  if (request.previous) {
    throw new LogRefusal(400, `previous terminated container "${container}" in pod "${name}" not found`);
  }
  const statuses = [...(pod?.status?.containerStatuses ?? []), ...(pod?.status?.initContainerStatuses ?? [])];
  const reason = statuses.find((entry) => entry.name === container)?.state?.waiting?.reason ?? 'ContainerCreating';
  throw new LogRefusal(400, `container "${container}" in pod "${name}" is waiting to start: ${reason}`);
}

export interface LogServerOptions {
  runtime: ContainerRuntime;
  findPod(namespace: string, name: string): Pod | undefined;
  now(): number;
}

/** Streams until the log ends, the limit is reached or the reader goes away. */
export async function serveLogs(
  request: LogRequest,
  response: ServerResponse,
  options: LogServerOptions,
): Promise<void> {
  const query = parseLogQuery(request.query, options.now());
  const pod = options.findPod(request.namespace, request.pod);
  const observed = pod && (await options.runtime.observePod(identityOf(pod)));
  const runs = observed?.containers ?? [];
  const container = chooseContainer(pod, runs, { ...request, previous: query.previous });
  const gone = new AbortController();
  response.on('close', () => gone.abort());
  const stream = await options.runtime.logs(container, { ...query, signal: gone.signal });
  response.writeHead(200, { 'content-type': 'text/plain' });
  response.flushHeaders();
  let left = query.limitBytes ?? Number.POSITIVE_INFINITY;
  try {
    for await (const chunk of stream) {
      const part = (chunk as Buffer).subarray(0, left === Number.POSITIVE_INFINITY ? undefined : left);
      left -= part.length;
      if (!response.write(part)) {
        await new Promise<void>((resolve) => {
          response.once('drain', resolve);
          response.once('close', resolve);
        });
      }
      if (left <= 0 || response.destroyed) break;
    }
  } catch (error) {
    if (!gone.signal.aborted) throw error;
  } finally {
    stream.destroy();
  }
  response.end();
}
