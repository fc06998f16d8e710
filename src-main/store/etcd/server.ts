// The etcd endpoint of a store: etcd's v3 gRPC services, gRPC health and reflection, and etcd's HTTP pages on the client
// port. Everything a client may send is bounded: the size of a request, the streams of a connection, what waits for a
// slow reader.

import { createHash } from 'node:crypto';
import type { Socket } from 'node:net';
import type { TlsOptions } from 'node:tls';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import type { Logger } from '../../kit';
import type { LocalStore } from '../store';
import { CallMetrics } from './call-metrics';
import type { ServiceContext } from './calls';
import { clusterService } from './cluster-service';
import type {
  AlarmProvider,
  Authorize,
  ClusterIdentity,
  MakeHeader,
  MountedService,
  SnapshotProvider,
} from './extension';
import { type Front, listenFront } from './front';
import { healthService } from './health-service';
import { answerHttp, type HttpPages } from './http-pages';
import { kvService } from './kv-service';
import { leaseService } from './lease-service';
import { maintenanceService } from './maintenance-service';
import { HeaderCodec, ResponseEncoder } from './messages-out';
import { reflectionService } from './reflection-service';
import { storeMetricLines } from './store-metrics';
import { watchService, type WatchServiceOptions } from './watch-service';

export interface EtcdTls {
  /** PEM. */
  cert: string | Buffer;
  key: string | Buffer;
  /** Client certificates are verified against it. */
  clientCa?: string | Buffer;
  /** Whether a client without a valid certificate is turned away. */
  clientCertAuth?: boolean;
}

export interface EtcdServerOptions {
  store: LocalStore;
  logger: Logger;
  /** Where to listen; port 0 = any free one. */
  listen: readonly { host: string; port: number }[];
  /** More addresses for /health, /version and /metrics alone, without TLS. */
  listenMetrics?: readonly { host: string; port: number }[];
  tls?: EtcdTls;
  /** The member's name. */
  name?: string;
  /** Ids are made from it; the name when absent. */
  identitySeed?: string;
  /** Services beside etcd's own: auth, lock, election. */
  services?: (context: { identity: ClusterIdentity; header: MakeHeader }) => MountedService[];
  authorize?: Authorize;
  alarms?: AlarmProvider;
  snapshots?: SnapshotProvider;
  /** Most bytes of a request that writes. */
  maxRequestBytes?: number;
  /** What the metrics tell as quota; enforcing it is the store's guard. */
  quotaBytes?: number;
  watch?: Pick<WatchServiceOptions, 'maxQueuedBytes' | 'progressMs'>;
}

export interface EtcdServer {
  /** The first address listened on. */
  url: string;
  urls: string[];
  port: number;
  metricsUrls: string[];
  identity: ClusterIdentity;
  /** Ends calls and connections, gracefully for a moment. The store stays open. */
  stop(): Promise<void>;
}

const defaultMaxRequestBytes = 1.5 * 1024 * 1024;
/** Room for the message around a request of the largest size. */
const messageOverheadBytes = 512 * 1024;
const defaultQuotaBytes = 2 * 1024 * 1024 * 1024;
const maxStreamsPerConnection = 10_000;
const raftTerm = 2;
const graceMs = 1000;

/** Starts serving; resolves when every address is listened on. */
export async function startEtcdServer(options: EtcdServerOptions): Promise<EtcdServer> {
  const { store, logger, tls } = options;
  const identity = makeIdentity(options);
  const maxRequestBytes = options.maxRequestBytes ?? defaultMaxRequestBytes;
  const server = new Server({
    'grpc.max_receive_message_length': maxRequestBytes + messageOverheadBytes,
    'grpc.max_send_message_length': -1,
    'grpc.max_concurrent_streams': maxStreamsPerConnection,
    'grpc.enable_channelz': 0,
  });
  const fronts: Front[] = [];
  const scheme = tls ? 'https' : 'http';
  const urlOf = ({ host, port }: Front) => `${scheme}://${host.includes(':') ? `[${host}]` : host}:${port}`;
  const pages = mountServices(server, { options, identity, maxRequestBytes, clientUrls: () => fronts.map(urlOf) });
  const injector = server.createConnectionInjector(ServerCredentials.createInsecure());
  const onHttp = answerHttp.bind(undefined, pages);
  const onGrpc = (socket: Socket) => injector.injectConnection(socket);
  const metricsFronts: Front[] = [];
  try {
    for (const address of options.listen) {
      fronts.push(await listenFront({ ...address, tls: tls && tlsOptions(tls), onGrpc, onHttp, logger }));
    }
    for (const address of options.listenMetrics ?? []) {
      const refuse = (socket: Socket) => socket.destroy();
      metricsFronts.push(await listenFront({ ...address, onGrpc: refuse, onHttp, logger }));
    }
  } catch (error) {
    await Promise.all([...fronts, ...metricsFronts].map((front) => front.close()));
    injector.destroy();
    throw error;
  }
  let stopping: Promise<void> | undefined;
  const stop = async () => {
    const all = [...fronts, ...metricsFronts];
    const closed = Promise.all(all.map((front) => front.close()));
    // Streams such as watches never end by themselves.
    injector.drain(graceMs);
    const destroyer = setTimeout(() => all.forEach((front) => front.destroy()), graceMs);
    await closed;
    clearTimeout(destroyer);
    injector.destroy();
    server.forceShutdown();
  };
  const [first] = fronts;
  if (!first) throw new Error('an etcd server needs an address to listen on');
  logger.info('etcd endpoint is up', { urls: fronts.map(urlOf), revision: store.revision() });
  return {
    url: urlOf(first),
    urls: fronts.map(urlOf),
    port: first.port,
    metricsUrls: metricsFronts.map(({ host, port }) => `http://${host}:${port}`),
    identity,
    stop: () => (stopping ??= stop()),
  };
}

interface Mounting {
  options: EtcdServerOptions;
  identity: ClusterIdentity;
  maxRequestBytes: number;
  clientUrls: () => string[];
}

function mountServices(server: Server, { options, identity, maxRequestBytes, clientUrls }: Mounting): HttpPages {
  const { store, logger, authorize, alarms, snapshots } = options;
  const header = makeHeader(store, identity);
  const context: ServiceContext = { store, logger, identity, header, authorize, maxRequestBytes };
  const encode = new ResponseEncoder(new HeaderCodec({ ...identity, raftTerm }));
  const open = { watches: 0, streams: 0 };
  const onCount = (change: { watches?: number; streams?: number }) => {
    open.watches += change.watches ?? 0;
    open.streams += change.streams ?? 0;
  };
  const mounted: MountedService[] = [
    kvService(context, encode),
    watchService(context, encode, { ...options.watch, onCount }),
    leaseService(context),
    clusterService(context, { clientUrls }),
    maintenanceService(context, { alarms, snapshots, raftTerm }),
    ...(options.services?.({ identity, header }) ?? []),
  ];
  const names = mounted.map(({ definition }) => Object.values(definition)[0]!.path.split('/')[1]!);
  const own = ['grpc.health.v1.Health', 'grpc.reflection.v1alpha.ServerReflection'];
  mounted.push(healthService(names), reflectionService([...names, ...own]));
  const metrics = new CallMetrics();
  for (const service of mounted) {
    const { definition, implementation } = metrics.count(service);
    server.addService(definition, implementation);
  }
  const alarmList = () => alarms?.list() ?? [];
  const source = {
    store,
    memberId: identity.memberId,
    alarms: alarmList,
    quotaBytes: options.quotaBytes ?? defaultQuotaBytes,
    watches: () => open,
    operations: () => metrics.operations(),
  };
  return {
    unhealthy: () => (alarmList().some(({ type }) => type === 1) ? 'ALARM NOSPACE' : undefined),
    metrics: () => `${[...storeMetricLines(source), ...metrics.lines()].join('\n')}\n`,
  };
}

function makeHeader(store: LocalStore, identity: ClusterIdentity): MakeHeader {
  const fixed = {
    cluster_id: String(BigInt.asUintN(64, identity.clusterId)),
    member_id: String(BigInt.asUintN(64, identity.memberId)),
    raft_term: String(raftTerm),
  };
  return (revision = store.revision()) => ({ ...fixed, revision: String(revision) });
}

function makeIdentity({ name = 'default', identitySeed = name }: EtcdServerOptions): ClusterIdentity {
  const idOf = (kind: string) => createHash('sha256').update(`${kind}\0${identitySeed}`).digest().readBigUInt64BE();
  return { clusterId: idOf('cluster'), memberId: idOf('member'), name };
}

function tlsOptions({ cert, key, clientCa, clientCertAuth = false }: EtcdTls): TlsOptions {
  const verify = clientCertAuth || clientCa !== undefined;
  return { cert, key, ca: clientCa, requestCert: verify, rejectUnauthorized: clientCertAuth, minVersion: 'TLSv1.2' };
}
