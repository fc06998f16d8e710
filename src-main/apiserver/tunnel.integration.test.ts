// The node tunnel and what goes through it: a small node that speaks the kubelet's side, kubectl logs on ours.

import { once } from 'node:events';
import { performServerHandshake, type ServerHttp2Session } from 'node:http2';
import { createServer, request, type Server } from 'node:https';
import { type AddressInfo, connect } from 'node:net';
import type { Duplex } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Pod, resources } from '../api';
import type { Client } from '../client';
import { startTestApiServer, type TestApiServer } from '../testkit/api-server';
import { findKubectl, kubectl } from '../testkit/kubectl';

let running: TestApiServer;
let client: Client;
let kubelet: Server;
const asked: string[] = [];
const closers: (() => void)[] = [];

/** A kubelet's log endpoint; its certificate is for `certificateName`. */
async function startKubelet(certificateName: string): Promise<Server> {
  const { ca } = running.authority;
  const { cert, key } = await running.authority.server(certificateName, { dns: [certificateName], ip: [] });
  const server = createServer({ ca, cert, key, requestCert: true, rejectUnauthorized: true }, (incoming, response) => {
    asked.push(incoming.url ?? '');
    if (incoming.url?.includes('follow=true')) {
      response.write('line 1\n');
      setImmediate(() => response.end('line 2\n'));
    } else response.end(`${incoming.url}\n`.repeat(3));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closers.push(() => server.close());
  return server;
}

/** Opens a tunnel as `node` that sends every CONNECT to `port`. */
async function openTunnel(node: string, port: number): Promise<ServerHttp2Session> {
  const { ca } = running.authority;
  const { cert, key } = await running.authority.client(`system:node:${node}`, ['system:nodes']);
  const socket = await new Promise<Duplex>((resolve, reject) => {
    const headers = { Connection: 'Upgrade', Upgrade: 'pilothouse-tunnel' };
    const outgoing = request(`${running.url}/pilothouse/v1/tunnel`, { ca, cert, key, headers, agent: false });
    outgoing.on('upgrade', (_response, upgraded) => resolve(upgraded));
    outgoing.on('response', (response) => reject(new Error(`HTTP ${response.statusCode}`)));
    outgoing.on('error', reject);
    outgoing.end();
  });
  const session = performServerHandshake(socket);
  session.on('error', () => socket.destroy());
  session.on('stream', (stream, headers) => {
    stream.on('error', () => stream.destroy());
    if (headers[':authority'] !== '127.0.0.1:10250') {
      stream.respond({ ':status': 403 }, { endStream: true });
      return;
    }
    const target = connect(port, '127.0.0.1', () => stream.respond({ ':status': 200 }));
    target.on('error', () => stream.destroy());
    stream.on('close', () => target.destroy());
    stream.pipe(target).pipe(stream);
  });
  closers.push(() => session.destroy());
  return session;
}

async function makePod(name: string, node: string | undefined, state: object = { running: {} }): Promise<void> {
  const pod: Pod = {
    metadata: { name, namespace: 'default' },
    spec: {
      containers: ['a', 'b'].map((container) => ({ name: container, image: 'x' })),
      ...(node ? { nodeName: node } : {}),
    },
  };
  const made = await client.create(resources.pods, pod);
  const containerStatuses = ['a', 'b'].map((container) => ({
    name: container,
    state,
    ready: false,
    restartCount: 0,
    image: 'x',
    imageID: '',
  }));
  await client.update(resources.pods, { ...made, status: { containerStatuses } } as Pod, { subresource: 'status' });
}

function log(path: string): Promise<{ code: number; text: string }> {
  const { ca } = running.authority;
  const { cert, key } = running.admin;
  return new Promise((resolve, reject) => {
    request(`${running.url}/api/v1/namespaces/default/pods/${path}`, { ca, cert, key, agent: false }, (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => {
        text += chunk.toString();
      });
      response.on('end', () => resolve({ code: response.statusCode!, text }));
    })
      .on('error', reject)
      .end();
  });
}

beforeAll(async () => {
  running = await startTestApiServer();
  client = running.server.client({ name: 'test', groups: ['system:masters'] });
  kubelet = await startKubelet('n1');
});

afterAll(async () => {
  for (const close of closers) close();
  await running?.stop();
});

describe('the node tunnel', () => {
  it('is for nodes only', async () => {
    const { ca } = running.authority;
    const headers = { Connection: 'Upgrade', Upgrade: 'pilothouse-tunnel' };
    const code = await new Promise((resolve, reject) => {
      request(`${running.url}/pilothouse/v1/tunnel`, { ca, ...running.admin, headers, agent: false })
        .on('response', (response) => resolve(response.statusCode))
        .on('error', reject)
        .end();
    });
    expect(code).toBe(403);
  });

  it('carries logs, verified by the name of the node', async () => {
    await makePod('p1', 'n1');
    const without = await log('p1/log?container=a');
    expect(without.code).toBe(503);
    expect(without.text).toContain('node \\"n1\\" has no tunnel to the API server');
    await openTunnel('n1', (kubelet.address() as AddressInfo).port);
    await expect.poll(() => running.server.dialer.connected('n1')).toBe(true);
    const answer = await log('p1/log?container=a&tailLines=3&timestamps=true');
    expect(answer).toEqual({
      code: 200,
      text: '/containerLogs/default/p1/a?tailLines=3&timestamps=true\n'.repeat(3),
    });
    expect((await log('p1/log?container=b&follow=true')).text).toBe('line 1\nline 2\n');
    await expect(running.server.dialer.dial('n1', { host: '10.0.0.1', port: 1 })).rejects.toMatchObject({
      code: 'DIAL_FAILED',
    });
  });

  it.skipIf(!findKubectl())('serves kubectl logs (needs kubectl on the path)', async () => {
    const { kubeconfig, directory } = running;
    const result = await kubectl({ kubeconfig, home: directory }, 'logs', '-f', 'p1', '-c', 'a');
    expect(result).toMatchObject({ code: 0, stdout: 'line 1\nline 2\n' });
  });

  it('refuses a kubelet that is someone else', async () => {
    const other = await startKubelet('other');
    await makePod('p2', 'n2');
    await openTunnel('n2', (other.address() as AddressInfo).port);
    const answer = await log('p2/log?container=a');
    expect(answer.code).toBe(502);
    expect(answer.text).toContain('does not match');
  });

  it('says why there is no log', async () => {
    await makePod('p3', 'n1', { waiting: { reason: 'ContainerCreating' } });
    await makePod('p4', undefined);
    const messageOf = async (path: string) => (JSON.parse((await log(path)).text) as { message: string }).message;
    expect(await messageOf('p3/log')).toBe('a container name must be specified for pod p3, choose one of: [a b]');
    expect(await messageOf('p3/log?container=c')).toBe('container c is not valid for pod p3');
    expect(await messageOf('p3/log?container=a')).toBe(
      'container "a" in pod "p3" is waiting to start: ContainerCreating',
    );
    expect(await messageOf('p4/log?container=a')).toBe('pod p4 does not have a host assigned');
    expect(await messageOf('p3/log?container=a&tailLines=-1')).toContain('invalid tailLines');
  });

  it('lets the newest connection win and notices the end of one', async () => {
    const first = await openTunnel('n9', 1);
    const second = await openTunnel('n9', 1);
    await once(first, 'close');
    expect(running.server.dialer.connected('n9')).toBe(true);
    second.destroy();
    await expect.poll(() => running.server.dialer.connected('n9')).toBe(false);
  });
});
