import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { silentLogger } from '../../kit';
import type { ControlPlaneConfig } from '../../services';
import { openLmdbStore, type LocalStore } from '../../store';
import { type EtcdServer, startEtcdServer } from '../../store/etcd';
import { createTestAuthority, type TestAuthority } from '../../testkit/pki';
import { startControlPlane } from './control-plane';
import { openStore } from './open-store';

let directory: string;
let authority: TestAuthority;
let etcdStore: LocalStore;
let etcd: EtcdServer;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'pilothouse-control-plane-'));
  authority = await createTestAuthority();
  const serving = await authority.server('etcd', { dns: ['localhost'], ip: ['127.0.0.1'] });
  const own = await authority.client('pilothouse', []);
  etcdStore = await openLmdbStore({ directory: join(directory, 'etcd'), logger: silentLogger });
  etcd = await startEtcdServer({
    store: etcdStore,
    logger: silentLogger,
    listen: [{ host: '127.0.0.1', port: 0 }],
    tls: { cert: serving.cert, key: serving.key, clientCa: authority.ca, clientCertAuth: true },
  });
  const files = { 'ca.pem': authority.ca, 'cert.pem': own.cert, 'key.pem': own.key };
  for (const [name, text] of Object.entries(files)) await writeFile(join(directory, name), text, { mode: 0o600 });
});

afterAll(async () => {
  await etcd?.stop();
  await etcdStore?.close();
  await rm(directory, { recursive: true, force: true });
});

const chosen = () => ({
  endpoints: [etcd.url],
  caFile: join(directory, 'ca.pem'),
  certFile: join(directory, 'cert.pem'),
  keyFile: join(directory, 'key.pem'),
  keyPrefix: '/pilothouse/test/1',
});

describe('a cluster whose state is kept in an etcd', () => {
  it('runs its control plane on it, below its own prefix', async () => {
    const serving = await authority.server('kube-apiserver', { dns: ['localhost'], ip: ['127.0.0.1'] });
    const kubelet = await authority.client('kube-apiserver-kubelet-client', ['system:masters']);
    const config: ControlPlaneConfig = {
      cluster: 'test',
      storeDirectory: join(directory, 'unused'),
      etcd: chosen(),
      lockPath: join(directory, 'lock'),
      logFile: join(directory, 'log'),
      logLevel: 'error',
      listen: { host: '127.0.0.1', port: 0 },
      advertise: { address: '10.0.2.2', port: 6443 },
      networks: { pod: '10.244.0.0/16', service: '10.96.0.0/12' },
      certificates: {
        ca: authority.ca,
        serverCert: serving.cert,
        serverKey: serving.key,
        kubeletClientCert: kubelet.cert,
        kubeletClientKey: kubelet.key,
        serviceAccountKey: kubelet.key,
      },
    };
    const running = await startControlPlane(config, silentLogger);
    await running.stop();
    const { kvs } = await etcdStore.range({ key: '\0', rangeEnd: '\0', keysOnly: true });
    const keys = kvs.map(({ key }) => key);
    expect(keys).toContain('/pilothouse/test/1/registry/namespaces/default');
    expect(keys.filter((key) => !key.startsWith('/pilothouse/test/1/'))).toEqual([]);
  });

  it('names the file that cannot be read', async () => {
    const etcdWith = { ...chosen(), certFile: join(directory, 'missing.pem') };
    const refused = openStore({ storeDirectory: directory, etcd: etcdWith }, silentLogger);
    await expect(refused).rejects.toMatchObject({
      code: 'ETCD_FILE_UNREADABLE',
      message: expect.stringContaining('etcd.certFile'),
      details: { field: 'etcd.certFile' },
    });
  });
});
