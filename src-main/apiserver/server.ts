// Puts the API server together: store → caches → registries → verbs → HTTP and the in-process client.

import { setMaxListeners } from 'node:events';
import { builtInKinds, type Kind } from '../api';
import type { Client } from '../client';
import { DisposableStack } from '../kit';
import { builtInAdmission } from './admission';
import { ServiceAllocator } from './allocators/service-allocator';
import { Authenticator } from './authn/authenticator';
import { anyOf } from './authz/authorizer';
import { nodeAuthorizer } from './authz/node-authorizer';
import { builtInRulesAuthorizer, mastersAuthorizer } from './authz/rules';
import { bootstrapObjects } from './bootstrap/bootstrap-objects';
import { Discovery } from './discovery/discovery';
import { Listener } from './http/listener';
import { ServerMetrics } from './http/metrics';
import { PathHandler } from './http/path-handlers';
import { ResourceHandler } from './http/resource-handler';
import { Router } from './http/router';
import { InProcessClient } from './in-process-client';
import { OpenApi } from './openapi/openapi';
import type { ApiServer, ApiServerOptions } from './options';
import { KindRegistry } from './registry/kind-registry';
import { LeaseBuckets } from './registry/lease-buckets';
import { Registries } from './registry/registries';
import { Verbs } from './registry/verbs';
import { KubeletTransport } from './tunnel/kubelet-transport';
import { TunnelRegistry } from './tunnel/node-dialer';
import { handleUpgrade } from './tunnel/upgrade';
import { CacheHub } from './watch-cache/cache-hub';

const eventTtlSeconds = 3600;
const defaultNodePorts = { from: 30000, to: 32767 };
const bootstrapUser = { name: 'system:apiserver', groups: ['system:masters'] };

/** Starts an API server on a store, which stays the caller's to close and to compact. Throws LISTEN_FAILED, CIDR_INVALID and store errors. */
export async function startApiServer(options: ApiServerOptions): Promise<ApiServer> {
  const parts = new DisposableStack();
  try {
    return await start(options, parts);
  } catch (error) {
    await parts.dispose();
    throw error;
  }
}

async function start(options: ApiServerOptions, parts: DisposableStack): Promise<ApiServer> {
  const { store, logger, clock, certificates, listen, advertise } = options;
  const clocked = clock ? { clock } : {};
  const stopping = new AbortController();
  // One listener a watch, which may be thousands.
  setMaxListeners(0, stopping.signal);
  const hub = new CacheHub({ store, logger, ...clocked });
  parts.defer(() => hub.stop());
  const services = new ServiceAllocator({
    network: options.networks.service,
    nodePorts: options.nodePorts ?? defaultNodePorts,
  });
  const registries = createRegistries(options, hub, services);
  await hub.start();
  services.follow(registries.at('', 'v1', 'services').cache);

  const authorizer = anyOf([mastersAuthorizer, nodeAuthorizer, builtInRulesAuthorizer]);
  const verbs = new Verbs(registries, authorizer);
  const client = (user: { name: string; groups: string[] }): Client =>
    new InProcessClient(verbs, { user, stopping: stopping.signal, ...clocked });
  const tunnels = new TunnelRegistry({ logger, ...clocked });
  parts.defer(() => tunnels.stop());
  const authenticator = new Authenticator(options.tokens ?? []);
  const metrics = new ServerMetrics();
  const kubelets = new KubeletTransport({
    dialer: tunnels,
    ca: certificates.ca,
    cert: certificates.kubeletClientCert,
    key: certificates.kubeletClientKey,
    ...clocked,
  });
  let problem: string | undefined = 'bootstrap objects are not there yet';
  const router = new Router({
    authenticator,
    authorizer,
    paths: new PathHandler({
      discovery: new Discovery(servedKinds()),
      openApi: new OpenApi(servedKinds()),
      metrics: metrics.registry,
      serverAddress: `${advertise.address}:${advertise.port ?? listen.port}`,
      notReady: () => problem,
    }),
    resources: new ResourceHandler(verbs, clocked),
    log: { verbs, kubelets },
    metrics,
    logger,
    stopping: stopping.signal,
  });
  const listener = await Listener.open({
    ...listen,
    ca: certificates.ca,
    cert: certificates.serverCert,
    key: certificates.serverKey,
    onRequest: (request, response) => void router.serve(request, response),
    onUpgrade: (request, socket, head) => handleUpgrade({ authenticator, tunnels }, request, socket, head),
    logger,
    ...clocked,
  });
  parts.defer(() => {
    stopping.abort();
    tunnels.stop();
    return listener.stop();
  });
  await bootstrapObjects({
    client: client(bootstrapUser),
    clusterIP: services.firstAddress,
    advertise: { address: advertise.address, port: advertise.port ?? listener.port },
  });
  problem = undefined;
  logger.info('API server is ready', { host: listen.host, port: listener.port });
  return { port: listener.port, client, dialer: tunnels, stop: () => parts.dispose() };
}

/** The kinds this server serves; order is that of discovery. */
function servedKinds(): readonly Kind[] {
  return builtInKinds;
}

function createRegistries(options: ApiServerOptions, hub: CacheHub, services: ServiceAllocator): Registries {
  const { store, clock } = options;
  const clocked = clock ? { clock } : {};
  const registries = new Registries();
  const admission = builtInAdmission(registries);
  const leases = new LeaseBuckets({ store, ttlSeconds: eventTtlSeconds, ...clocked });
  for (const kind of servedKinds()) {
    const isCore = kind.group === '';
    registries.add(
      new KindRegistry({
        kind,
        store,
        hub,
        admission,
        ...(isCore && kind.plural === 'services' ? { allocator: services } : {}),
        ...(isCore && kind.plural === 'events' ? { lease: () => leases.lease() } : {}),
        ...clocked,
      }),
    );
  }
  return registries;
}
