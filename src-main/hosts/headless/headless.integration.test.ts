// The headless host as a person meets it: real HTTP, real WebSocket, a real control plane process; only the machines
// are fake, since virtual machines have tests of their own.

import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import { resources } from '../../api';
import type { ClusterView, HostFile, WatchMessage } from '../../contract';
import { homePaths } from '../../services';
import { FakeMachines } from '../../testkit/fake-machines';
import { findApplication } from '../application';
import { connect, findHost, type HostConnection } from '../cli/host-connection';
import { type HeadlessHost, runHeadlessHost } from './run';

const kubectl = promisify(execFile);
let home: string;
let host: HeadlessHost;
let connection: HostConnection;
const application = findApplication(import.meta.dirname, { fromSource: true });

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'pilothouse-host-'));
  const renderer = join(home, 'renderer');
  await mkdir(join(renderer, 'assets'), { recursive: true });
  await writeFile(join(renderer, 'index.html'), '<!doctype html><title>Pilothouse</title>');
  await writeFile(join(renderer, 'assets', 'index-1a2b.js'), 'export {};');
  host = await runHeadlessHost({
    application: { ...application, renderer },
    home,
    firstApiPort: 36_443,
    createMachineSet: () => Promise.resolve(new FakeMachines()),
    onShutdown: () => undefined,
  });
  connection = connect(JSON.parse(await readFile(join(home, 'host.json'), 'utf8')) as HostFile);
});
afterAll(async () => {
  connection?.close();
  await host?.stop();
  await rm(home, { recursive: true, force: true });
});

interface Answer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: string;
}

function ask(path: string, options: { method?: string; headers?: Record<string, string> } = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { hostname, port, host: authority } = new URL(host.url);
    // Not by URL: that would tidy up "..".
    const headers = { host: authority, ...options.headers };
    const outgoing = request({ hostname, port, path, method: options.method, headers, agent: false }, (response) => {
      let body = '';
      response.on('data', (chunk: Buffer) => (body += chunk.toString()));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }));
    });
    outgoing.on('error', reject);
    outgoing.end();
  });
}

describe('serving the window', () => {
  it('sends the page with a strict policy', async () => {
    const { status, headers, body } = await ask('/?token=x');
    expect(status).toBe(200);
    expect(body).toContain('Pilothouse');
    expect(headers['content-type']).toBe('text/html; charset=utf-8');
    const policy = String(headers['content-security-policy']);
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("script-src 'self';");
    expect(headers['x-content-type-options']).toBe('nosniff');
    const script = await ask('/assets/index-1a2b.js');
    expect(script.headers['content-type']).toBe('text/javascript; charset=utf-8');
    expect(script.headers['cache-control']).toContain('immutable');
  });

  it.each([
    '/../host.json',
    '/%2e%2e/host.json',
    '/assets/..%2f..%2fhost.json',
    '/..%5chost.json',
    '/%00.js',
    '/%ff.js',
  ])('gives nothing outside its folder: %s', async (path) => {
    const { status, body } = await ask(path);
    expect(status).toBe(404);
    expect(body).not.toContain('token');
  });

  it('refuses other methods and foreign host names', async () => {
    expect((await ask('/', { method: 'POST' })).status).toBe(405);
    expect((await ask('/', { headers: { host: 'evil.example' } })).status).toBe(403);
  });
});

describe('opening the RPC', () => {
  const refusal = (query: string, headers: Record<string, string> = {}) =>
    new Promise<number>((resolve, reject) => {
      const socket = new WebSocket(`${host.url.replace('http', 'ws')}/rpc${query}`, { headers });
      socket.on('unexpected-response', (_, response) => resolve(response.statusCode ?? 0));
      socket.on('open', () => reject(new Error('it was let in')));
      socket.on('error', reject);
    });

  it('refuses a missing or wrong token and another origin', async () => {
    expect(await refusal('')).toBe(401);
    expect(await refusal('?token=wrong')).toBe(401);
    expect(await refusal(`?token=${host.token}`, { origin: 'https://evil.example' })).toBe(403);
    expect((await ask('/rpc?token=wrong')).status).toBe(401);
    expect((await ask(`/rpc?token=${host.token}`)).status).toBe(426);
  });

  it('keeps the token to its owner', async () => {
    expect((await stat(join(home, 'host.json'))).mode & 0o777).toBe(0o600);
    expect(await findHost(homePaths(home))).toMatchObject({ pid: process.pid, url: host.url });
  });

  it('tells about the host', async () => {
    const info = await connection.call((rpc) => rpc.host.info.query());
    expect(info).toMatchObject({ shell: 'headless', home, version: application.version });
    expect(info.memoryMiB).toBeGreaterThan(100);
  });

  it('names the wrong field of a request', async () => {
    const wrong = connection.call((rpc) => rpc.clusters.create.mutate({ name: 'Bad Name' }));
    await expect(wrong).rejects.toMatchObject({ code: 'BAD_REQUEST', message: expect.stringContaining('lower-case') });
    const missing = connection.call((rpc) => rpc.clusters.start.mutate({ name: 'missing' }));
    await expect(missing).rejects.toMatchObject({ code: 'CLUSTER_NOT_FOUND' });
  });

  it('lets no second host into its home', async () => {
    const second = runHeadlessHost({ application, home, onShutdown: () => undefined });
    await expect(second).rejects.toMatchObject({ code: 'ALREADY_RUNNING', details: { pid: process.pid } });
  });
});

describe('a cluster behind it', () => {
  const cluster = 'default';
  const until = async (condition: (view: ClusterView) => boolean) => {
    const seen: { view?: ClusterView } = {};
    await connection.follow<ClusterView[]>(
      (rpc, observer) => rpc.clusters.watch.subscribe(undefined, observer),
      (views) => {
        seen.view = views[0];
        return seen.view !== undefined && condition(seen.view);
      },
    );
    return seen.view!;
  };

  beforeAll(async () => {
    await connection.call((rpc) => rpc.clusters.create.mutate({ name: cluster, nodes: 1 }));
    const view = await until(({ state }) => state === 'running' || state === 'failed');
    expect(view).toMatchObject({ state: 'running', controlPlane: { state: 'running' } });
  });

  it('answers stock kubectl with the written kubeconfig', async () => {
    const file = join(home, 'clusters', cluster, 'kubeconfig');
    const { stdout } = await kubectl('kubectl', ['--kubeconfig', file, 'get', 'namespaces', '-o', 'name']);
    expect(stdout).toContain('namespace/kube-system');
  });

  it('lists, creates, watches, scales and deletes objects', async () => {
    const deployments = { cluster, resource: resources.deployments, namespace: 'default' };
    const messages: WatchMessage[] = [];
    const watching = connection.follow<WatchMessage>(
      (rpc, observer) => rpc.kube.watch.subscribe(deployments, observer),
      (message) => {
        messages.push(message);
        return message.type === 'events' && message.events.some(({ type }) => type === 'DELETED');
      },
    );
    await vi.waitFor(() => expect(messages[0]?.type).toBe('snapshot'));
    const labels = { app: 'web' };
    const object = {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'web' },
      spec: {
        replicas: 1,
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: { containers: [{ name: 'web', image: 'web:1' }] } },
      },
    };
    await connection.call((rpc) => rpc.kube.create.mutate({ cluster, object }));
    const scaled = await connection.call((rpc) => rpc.kube.scale.mutate({ ...deployments, name: 'web', replicas: 3 }));
    expect(scaled).toEqual({ replicas: 3 });
    const pods = { cluster, resource: resources.pods, namespace: 'default' };
    await vi.waitFor(
      async () => expect((await connection.call((rpc) => rpc.kube.list.query(pods))).items).toHaveLength(3),
      { timeout: 10_000, interval: 100 },
    );
    await connection.call((rpc) => rpc.kube.delete.mutate({ ...deployments, name: 'web' }));
    await watching;
    const invalid = connection.call((rpc) =>
      rpc.kube.create.mutate({ cluster, object: { ...object, metadata: { name: 'Bad Name' } } }),
    );
    await expect(invalid).rejects.toMatchObject({ code: 'INVALID' });
  });

  it('restarts a killed control plane, loses nothing, and watches go on', async () => {
    const configmaps = { cluster, resource: resources.configmaps, namespace: 'default' };
    const named = (name: string) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name } });
    await connection.call((rpc) => rpc.kube.create.mutate({ cluster, object: named('before') }));
    const messages: WatchMessage[] = [];
    const watching = connection.follow<WatchMessage>(
      (rpc, observer) => rpc.kube.watch.subscribe(configmaps, observer),
      (message) => {
        messages.push(message);
        const events = message.type === 'events' ? message.events : [];
        return events.some(({ object }) => object.metadata.name === 'after');
      },
    );
    await vi.waitFor(() => expect(messages[0]?.type).toBe('snapshot'));
    const before = await until(({ controlPlane }) => controlPlane.pid !== undefined);
    const killedAt = Date.now();
    process.kill(before.controlPlane.pid!, 'SIGKILL');
    const after = await until(({ controlPlane }) => controlPlane.state === 'running' && controlPlane.restarts === 1);
    console.info(`control plane back after ${Date.now() - killedAt} ms`);
    expect(after.controlPlane.pid).not.toBe(before.controlPlane.pid);
    const kept = await connection.call((rpc) => rpc.kube.get.query({ ...configmaps, name: 'before' }));
    expect(kept.metadata.name).toBe('before');
    await connection.call((rpc) => rpc.kube.create.mutate({ cluster, object: named('after') }));
    await watching;
    expect(messages.filter(({ type }) => type === 'snapshot')).toHaveLength(1);
    expect(messages.some(({ type }) => type === 'stale')).toBe(true);
  });

  it('says that it is stale while stopped, and comes back with its objects', async () => {
    await connection.call((rpc) => rpc.clusters.stop.mutate({ name: cluster }));
    expect((await connection.call((rpc) => rpc.clusters.list.query()))[0]).toMatchObject({
      state: 'stopped',
      controlPlane: { state: 'stopped' },
    });
    await connection.call((rpc) => rpc.clusters.start.mutate({ name: cluster }));
    await until(({ state }) => state === 'running');
    const request = { cluster, resource: resources.configmaps, namespace: 'default', name: 'before' };
    expect((await connection.call((rpc) => rpc.kube.get.query(request))).metadata.name).toBe('before');
  });
});
