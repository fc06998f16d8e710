// pods/log: which container, and whether it can have a log yet; then the kubelet's stream, piped as it comes.

import { pipeline } from 'node:stream/promises';
import type { ContainerStatus, Pod } from '../../api';
import { messageOf, PilothouseError } from '../../kit';
import type { RequestContext } from '../http/request-context';
import { flag, parameter } from '../http/request-context';
import { readText } from '../http/read-text';
import { badGateway, badRequest, notFound, serviceUnavailable } from '../status/errors';
import type { KubeletTransport } from '../tunnel/kubelet-transport';
import type { Target, Verbs } from '../registry/verbs';

export interface LogDependencies {
  verbs: Verbs;
  kubelets: KubeletTransport;
}

interface NamedContainer {
  name: string;
}

const passedOn = ['follow', 'previous', 'tailLines', 'sinceSeconds', 'sinceTime', 'timestamps', 'limitBytes', 'stream'];
const wholeNumbers: readonly [string, number][] = [
  ['tailLines', 0],
  ['sinceSeconds', 1],
  ['limitBytes', 1],
];
const errorBodyLimit = 64 * 1024;

function containersOf(pod: Pod): { regular: string[]; init: string[]; ephemeral: string[] } {
  const spec = pod.spec as {
    containers: NamedContainer[];
    initContainers?: NamedContainer[];
    ephemeralContainers?: NamedContainer[];
  };
  const names = (list: NamedContainer[] | undefined) => (list ?? []).map(({ name }) => name);
  return {
    regular: names(spec.containers),
    init: names(spec.initContainers),
    ephemeral: names(spec.ephemeralContainers),
  };
}

/** The container whose log is meant. Throws 400 with upstream's wording. */
export function logContainer(pod: Pod, wanted: string | undefined): string {
  const { regular, init, ephemeral } = containersOf(pod);
  const podName = pod.metadata.name!;
  if (wanted) {
    if ([...regular, ...init, ...ephemeral].includes(wanted)) return wanted;
    throw badRequest(`container ${wanted} is not valid for pod ${podName}`);
  }
  if (regular.length === 1 && init.length === 0 && ephemeral.length === 0) return regular[0]!;
  let message = `a container name must be specified for pod ${podName}, choose one of: [${regular.join(' ')}]`;
  if (init.length > 0) message += ` or one of the init containers: [${init.join(' ')}]`;
  if (ephemeral.length > 0) message += ` or one of the ephemeral containers: [${ephemeral.join(' ')}]`;
  if (regular.length === 1 && ephemeral.length === 0) return regular[0]!;
  throw badRequest(message);
}

/** Refuses when the container has not come so far as to have a log: 400 with upstream's wording. */
export function checkHasLog(pod: Pod, container: string): void {
  const podName = pod.metadata.name!;
  if (!pod.spec.nodeName) throw badRequest(`pod ${podName} does not have a host assigned`);
  const { containerStatuses = [], initContainerStatuses = [] } = pod.status ?? {};
  const status: ContainerStatus | undefined = [...containerStatuses, ...initContainerStatuses].find(
    ({ name }) => name === container,
  );
  const { waiting } = status?.state ?? {};
  // A container that ran before keeps its log while it waits to be started again.
  if (waiting && !status?.containerID && !status?.lastState?.terminated) {
    throw badRequest(
      `container "${container}" in pod "${podName}" is waiting to start: ${waiting.reason ?? 'ContainerCreating'}`,
    );
  }
}

/** Refuses options that are not of their form: 400. */
function checkOptions(query: URLSearchParams): void {
  for (const [name, least] of wholeNumbers) {
    const text = parameter(query, name);
    if (text !== undefined && (!/^\d+$/.test(text) || Number(text) < least)) {
      throw badRequest(`invalid ${name} "${text}": must be a whole number of at least ${least}`);
    }
  }
  const since = parameter(query, 'sinceTime');
  if (since !== undefined && Number.isNaN(Date.parse(since)))
    throw badRequest(`invalid sinceTime "${since}": must be RFC 3339`);
  if (since !== undefined && query.get('sinceSeconds')) {
    throw badRequest('at most one of `sinceTime` or `sinceSeconds` may be specified');
  }
}

function kubeletPath(pod: Pod, container: string, query: URLSearchParams): string {
  const sent = new URLSearchParams();
  for (const name of passedOn) {
    const value = query.get(name);
    if (value) sent.set(name, value);
  }
  const { namespace = '', name = '' } = pod.metadata;
  const path = [namespace, name, container].map(encodeURIComponent).join('/');
  const text = sent.toString();
  return `/containerLogs/${path}${text ? `?${text}` : ''}`;
}

/** Serves GET pods/NAME/log. */
export async function handleLog(dependencies: LogDependencies, context: RequestContext, target: Target): Promise<void> {
  const { verbs, kubelets } = dependencies;
  const { query, response, signal } = context;
  const registry = verbs.open('get', target, { user: context.user });
  checkOptions(query);
  const entry = await registry.reader.get(target.namespace, target.name);
  const pod = entry.object as Pod;
  const container = logContainer(pod, parameter(query, 'container'));
  checkHasLog(pod, container);
  const abort = new AbortController();
  const stop = () => abort.abort();
  response.on('close', stop);
  signal.addEventListener('abort', stop, { once: true });
  try {
    const path = kubeletPath(pod, container, query);
    const upstream = await kubelets.get({ node: pod.spec.nodeName!, path, signal: abort.signal });
    if (upstream.statusCode !== 200) {
      const text = (await readText(upstream, errorBodyLimit)).trim();
      if (upstream.statusCode === 404) throw text ? badRequest(text) : notFound(registry.kind, target.name);
      throw upstream.statusCode === 400
        ? badRequest(text)
        : badGateway(text || `the kubelet answered ${upstream.statusCode}`);
    }
    response.writeHead(200, { 'Content-Type': 'text/plain', 'Cache-Control': 'no-cache, private' });
    if (flag(query, 'follow')) response.flushHeaders();
    await pipeline(upstream, response);
  } catch (error) {
    // Once the body has begun there is no other way left to say that it broke than to end it.
    if (response.headersSent) {
      response.destroy();
      return;
    }
    throw translated(error);
  } finally {
    response.off('close', stop);
    signal.removeEventListener('abort', stop);
  }
}

function translated(error: unknown): unknown {
  if (!(error instanceof PilothouseError)) return badGateway(messageOf(error));
  switch (error.code) {
    case 'NODE_UNREACHABLE':
      return serviceUnavailable(`${error.message}${error.hint ? `. ${error.hint}` : ''}`);
    case 'DIAL_FAILED':
    case 'KUBELET_FAILED':
      return badGateway(error.message);
    default:
      return error;
  }
}
