// A whole API server on a store in a temporary folder, with certificates of its own and a kubeconfig for kubectl.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ApiServer, startApiServer } from '../apiserver';
import { type Logger, silentLogger } from '../kit';
import { openLmdbStore, type Store } from '../store';
import { createTestAuthority, type KeyPair, type TestAuthority } from './pki';

export interface TestApiServer {
  server: ApiServer;
  store: Store;
  authority: TestAuthority;
  directory: string;
  admin: KeyPair;
  /** Path of a kubeconfig of a system:masters user. */
  kubeconfig: string;
  url: string;
  /** Ends the server and opens another one on the same store. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

const tokens = [{ token: 'reader-token', user: 'reader', groups: ['readers'] }];

export interface TestApiServerOptions {
  logger?: Logger;
  /** The store to stand on, which `stop` closes; one of its own when absent. */
  store?: Store;
}

export async function startTestApiServer(options: TestApiServerOptions = {}): Promise<TestApiServer> {
  const logger = options.logger ?? silentLogger;
  const directory = await mkdtemp(join(tmpdir(), 'pilothouse-apiserver-'));
  const authority = await createTestAuthority();
  const serving = await authority.server('kube-apiserver', { dns: ['localhost', 'kubernetes'], ip: ['127.0.0.1'] });
  const kubelet = await authority.client('kube-apiserver-kubelet-client', ['system:masters']);
  const admin = await authority.client('admin', ['system:masters']);
  const store = options.store ?? (await openLmdbStore({ directory: join(directory, 'store'), logger }));
  const start = (port: number) =>
    startApiServer({
      store,
      listen: { host: '127.0.0.1', port },
      certificates: {
        ca: authority.ca,
        serverCert: serving.cert,
        serverKey: serving.key,
        kubeletClientCert: kubelet.cert,
        kubeletClientKey: kubelet.key,
        serviceAccountKey: kubelet.key,
      },
      networks: { service: '10.96.0.0/12' },
      advertise: { address: '10.0.2.2' },
      tokens,
      logger,
    });
  const server = await start(0);
  const url = `https://127.0.0.1:${server.port}`;
  const kubeconfig = join(directory, 'kubeconfig');
  await writeFile(kubeconfig, kubeconfigText(url, authority.ca, admin), { mode: 0o600 });
  const running: TestApiServer = {
    server,
    store,
    authority,
    directory,
    admin,
    kubeconfig,
    url,
    async restart() {
      const { port } = running.server;
      await running.server.stop();
      running.server = await start(port);
    },
    async stop() {
      await running.server.stop();
      await store.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
  return running;
}

function kubeconfigText(server: string, ca: string, { cert, key }: KeyPair): string {
  const data = (text: string) => Buffer.from(text).toString('base64');
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'test', cluster: { server, 'certificate-authority-data': data(ca) } }],
    users: [{ name: 'admin', user: { 'client-certificate-data': data(cert), 'client-key-data': data(key) } }],
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'admin' } }],
    'current-context': 'test',
  });
}
