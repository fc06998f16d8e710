// The kubelet with the real API server: registration over HTTPS, a Pod, its log through the tunnel, deletion.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Node, type Pod, resources } from '../../api';
import { type Client, createHttpsClient } from '../../client';
import { silentLogger, sleep, systemClock } from '../../kit';
import { startTestApiServer, type TestApiServer } from '../../testkit/api-server';
import { createJsonLogger } from '../process/json-logger';
import { DockerLab, dockerLabProblem } from './docker-lab';
import { runKubelet } from './kubelet';
import { parseKubeletConfiguration } from './kubelet-configuration';

const problem = dockerLabProblem();
const logger = process.env.PILOTHOUSE_TEST_LOG ? createJsonLogger({ level: 'debug' }) : silentLogger;
const image = 'lab/busybox:1';
const port = 20_250 + (process.pid % 1000);

describe.skipIf(problem !== undefined)(`kubelet with the API server${problem ? ` (${problem})` : ''}`, () => {
  let lab: DockerLab;
  let api: TestApiServer;
  let admin: Client;
  let running: Promise<void>;
  const stopping = new AbortController();

  async function until<T>(what: string, look: () => Promise<T | undefined | false>): Promise<T> {
    const deadline = Date.now() + 60_000;
    for (;;) {
      const found = await look();
      if (found) return found;
      if (Date.now() > deadline) throw new Error(`${what}: not within 60 s`);
      await sleep(100);
    }
  }

  beforeAll(async () => {
    lab = new DockerLab();
    await lab.start();
    lab.importBusybox(image);
    api = await startTestApiServer();
    admin = api.server.client({ name: 'admin', groups: ['system:masters'] });
    const { ca } = api.authority;
    const serving = await api.authority.server('node-1', { dns: ['node-1'], ip: ['127.0.0.1'] });
    const own = await api.authority.client('system:node:node-1', ['system:nodes']);
    const resolvConf = join(lab.root, 'resolv.conf');
    writeFileSync(resolvConf, 'nameserver 192.0.2.53\n');
    mkdirSync(join(lab.root, 'kubelet'));
    const configuration = parseKubeletConfiguration(
      JSON.stringify({
        nodeIP: '192.0.2.10',
        port,
        address: '127.0.0.1',
        nodeStatusUpdateFrequency: '1s',
        rootDirectory: join(lab.root, 'kubelet'),
        dockerSocket: lab.socket,
        pauseArchive: lab.pauseArchive(),
        resolvConf,
      }),
    );
    const access = { server: api.url, ca, cert: own.cert, key: own.key };
    running = runKubelet(
      {
        client: createHttpsClient({ ...access, userAgent: 'kubelet' }),
        tunnel: access,
        tls: { ca, cert: serving.cert, key: serving.key },
        nodeName: 'node-1',
        configuration,
        run: lab.run,
        clock: systemClock,
        logger,
      },
      stopping.signal,
    );
  });

  afterAll(async () => {
    stopping.abort();
    await running;
    await api.stop();
    await lab.close();
  });

  const name = { namespace: 'default', name: 'web' };
  const pod = () => admin.get<Pod>(resources.pods, name);

  test('a node registers, runs a Pod, shows its log through the tunnel and deletes it', async () => {
    const node = () => admin.get<Node>(resources.nodes, { name: 'node-1' });
    await until('node', () => node().catch(() => undefined));
    await admin.patch(
      resources.nodes,
      { name: 'node-1' },
      { type: 'merge', body: { spec: { podCIDR: '10.244.1.0/24' } } },
    );
    await until('ready', async () =>
      (await node()).status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True'),
    );
    const command = ['/bin/sh', '-c', 'echo one; echo two; exec sleep 1000'];
    const object: Pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: name,
      spec: { nodeName: 'node-1', terminationGracePeriodSeconds: 1, containers: [{ name: 'main', image, command }] },
    };
    await until('created', () => admin.create(resources.pods, object, { namespace: 'default' }).catch(() => undefined));
    const status = await until('running', async () => {
      const found = await pod();
      return (
        found.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') && found.status
      );
    });
    expect(status.podIP).toMatch(/^10\.244\.1\./);
    await until('tunnel', async () => api.server.dialer.connected('node-1'));
    const { ca } = api.authority;
    const client = createHttpsClient({
      server: api.url,
      ca,
      cert: api.admin.cert,
      key: api.admin.key,
      userAgent: 'test',
    });
    const chunks: Buffer[] = [];
    for await (const chunk of client.openLog({ ...name, tailLines: 1, signal: AbortSignal.timeout(20_000) }))
      chunks.push(chunk);
    expect(Buffer.concat(chunks).toString()).toBe('two\n');
    await client.delete(resources.pods, name);
    await until('gone', () =>
      pod().then(
        () => false,
        () => true,
      ),
    );
    expect(lab.docker('ps', '-q', '--filter', 'label=io.kubernetes.pod.name=web')).toBe('');
  });
});
