// Puts kube-proxy together: informers, the proxier, and the health answer that load balancers ask for.

import { type Server, createServer } from 'node:http';
import { type EndpointSlice, type Service, resources } from '../../api';
import { type Client, createInformer } from '../../client';
import type { Clock, Logger } from '../../kit';
import { apiRetryMaxMs } from '../process/api-retry';
import type { RunCommand } from '../process/command';
import { Proxier } from './proxier';

export interface ProxyOptions {
  client: Client;
  nodeName: string;
  clusterCIDR: string;
  /** host:port; empty = no health answer. */
  healthzBindAddress: string;
  run: RunCommand;
  clock: Clock;
  logger: Logger;
}

/** Unhealthy when the rules were not known to be right for this long. */
const staleMs = 120_000;

function serveHealth(proxier: Proxier, options: ProxyOptions): Server | undefined {
  const [host, port] = options.healthzBindAddress.split(':');
  if (!host || !port) return undefined;
  const server = createServer((_request, response) => {
    const now = options.clock.now();
    const healthy = now - proxier.syncedAt < staleMs;
    const body = { lastUpdated: new Date(proxier.syncedAt).toISOString(), currentTime: new Date(now).toISOString() };
    response.writeHead(healthy ? 200 : 503, { 'content-type': 'application/json' });
    response.end(JSON.stringify(body));
  });
  server.on('error', (error) => options.logger.warn('health answer not served', { error }));
  server.listen(Number(port), host);
  return server;
}

/** Runs until the signal aborts. The rules stay. */
export async function runProxy(options: ProxyOptions, signal: AbortSignal): Promise<void> {
  const { client, nodeName, clusterCIDR, run, clock, logger } = options;
  const informing = { client, logger, clock, maxBackoffMs: apiRetryMaxMs };
  const services = createInformer<Service>({ ...informing, resource: resources.services });
  const slices = createInformer<EndpointSlice>({ ...informing, resource: resources.endpointslices });
  const proxier = new Proxier({ services, slices, nodeName, clusterCIDR, run, clock, logger });
  const health = serveHealth(proxier, options);
  logger.info('kube-proxy started', { node: nodeName, clusterCIDR });
  await Promise.all([services.start(signal), slices.start(signal), proxier.run(signal)]);
  health?.closeAllConnections();
  health?.close();
}
