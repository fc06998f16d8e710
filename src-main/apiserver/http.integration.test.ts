// The wire: pagination, watches, conflicts, credentials, deletion and restarts, by raw HTTP.

import { Agent, request } from 'node:https';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { KubeObject } from '../api';
import { startTestApiServer, type TestApiServer } from '../testkit/api-server';

interface Answer {
  code: number;
  headers: Record<string, string | string[] | undefined>;
  text: string;
  // The shape depends on the request; tests look only at what they asked for.
  json: { [member: string]: unknown; metadata: Record<string, string>; items: { metadata: { name: string } }[] };
}

let running: TestApiServer;
let agent: Agent;

beforeAll(async () => {
  running = await startTestApiServer();
  agent = new Agent({ ca: running.authority.ca, cert: running.admin.cert, key: running.admin.key, keepAlive: true });
});

afterAll(async () => {
  agent?.destroy();
  await running?.stop();
});

interface Sent {
  body?: unknown;
  headers?: Record<string, string>;
  agent?: Agent;
  onData?(text: string): boolean;
}

function send(method: string, path: string, sent: Sent = {}): Promise<Answer> {
  const data =
    sent.body === undefined ? undefined : typeof sent.body === 'string' ? sent.body : JSON.stringify(sent.body);
  return new Promise((resolve, reject) => {
    const outgoing = request(
      `${running.url}${path}`,
      {
        method,
        agent: sent.agent ?? agent,
        headers: {
          ...(data === undefined
            ? {}
            : { 'Content-Type': 'application/json', 'Content-Length': String(Buffer.byteLength(data)) }),
          ...sent.headers,
        },
      },
      (response) => {
        let text = '';
        const finish = () => {
          const json = text.startsWith('{') && !sent.onData ? JSON.parse(text) : {};
          resolve({ code: response.statusCode!, headers: response.headers, text, json });
        };
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => {
          text += chunk;
          if (sent.onData?.(text)) {
            outgoing.destroy();
            finish();
          }
        });
        response.on('end', finish);
        response.on('error', () => finish());
      },
    );
    outgoing.on('error', (error) => (outgoing.destroyed && sent.onData ? undefined : reject(error)));
    outgoing.end(data);
  });
}

const lines = (text: string) =>
  text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as { type: string; object: { code?: number; metadata: Record<string, string> } });

const configMaps = '/api/v1/namespaces/default/configmaps';
const configMap = (name: string, extra: object = {}): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, ...extra },
});

describe('credentials', () => {
  it('refuses bad tokens, lets anonymous see health only, and names what is forbidden', async () => {
    const anonymous = new Agent({ ca: running.authority.ca });
    expect((await send('GET', '/healthz', { agent: anonymous })).text).toBe('ok');
    expect((await send('GET', '/version', { agent: anonymous })).code).toBe(200);
    const denied = await send('GET', '/api/v1/pods', { agent: anonymous });
    expect(denied.code).toBe(403);
    expect(denied.json.message).toBe(
      'pods is forbidden: User "system:anonymous" cannot list resource "pods" in API group "" at the cluster scope',
    );
    const bad = await send('GET', '/api', { agent: anonymous, headers: { authorization: 'Bearer wrong' } });
    expect(bad.code).toBe(401);
    expect(bad.json).toMatchObject({ kind: 'Status', reason: 'Unauthorized', code: 401 });
    const reader = { agent: anonymous, headers: { authorization: 'Bearer reader-token' } };
    expect((await send('GET', '/apis', reader)).code).toBe(200);
    expect((await send('GET', `${configMaps}/x`, reader)).json.message).toBe(
      'configmaps "x" is forbidden: User "reader" cannot get resource "configmaps" in API group "" in the namespace "default"',
    );
    anonymous.destroy();
  });

  it('holds a node to its own objects', async () => {
    const { cert, key } = await running.authority.client('system:node:n1', ['system:nodes']);
    const node = new Agent({ ca: running.authority.ca, cert, key });
    const body = (name: string) => ({ apiVersion: 'v1', kind: 'Node', metadata: { name } });
    expect((await send('POST', '/api/v1/nodes', { agent: node, body: body('n1') })).code).toBe(201);
    await send('POST', '/api/v1/nodes', { body: body('n2') });
    const patch = { agent: node, body: { status: {} }, headers: { 'Content-Type': 'application/merge-patch+json' } };
    expect((await send('PATCH', '/api/v1/nodes/n1/status', patch)).code).toBe(200);
    expect((await send('PATCH', '/api/v1/nodes/n2/status', patch)).code).toBe(403);
    expect((await send('DELETE', '/api/v1/namespaces/default', { agent: node })).code).toBe(403);
    node.destroy();
  });
});

describe('errors', () => {
  it.each([
    ['GET', '/nope', undefined, 404, 'NotFound'],
    ['GET', '/apis/nope/v1/things', undefined, 404, 'NotFound'],
    ['POST', `${configMaps}/x`, configMap('x'), 405, 'MethodNotAllowed'],
    ['POST', configMaps, '{"kind"', 400, 'BadRequest'],
    ['POST', configMaps, { ...configMap('x'), kind: 'Secret' }, 400, 'BadRequest'],
    ['POST', configMaps, configMap('Bad_Name'), 422, 'Invalid'],
    ['POST', '/api/v1/namespaces/none/configmaps', configMap('x'), 404, 'NotFound'],
    ['PUT', `${configMaps}/absent`, configMap('absent'), 404, 'NotFound'],
    ['GET', `${configMaps}?labelSelector=a%20b`, undefined, 400, 'BadRequest'],
    ['GET', `${configMaps}?fieldSelector=spec.x%3D1`, undefined, 400, 'BadRequest'],
    ['GET', `${configMaps}?limit=x`, undefined, 400, 'BadRequest'],
    ['GET', `${configMaps}?continue=bogus`, undefined, 400, 'BadRequest'],
  ])('%s %s with %j → %i', async (method, path, body, code, reason) => {
    const answer = await send(method, path, body === undefined ? {} : { body });
    expect(answer.json).toMatchObject({ kind: 'Status', code, reason });
    expect(answer.code).toBe(code);
  });

  it('limits bodies and formats', async () => {
    const large = configMap('large', { annotations: { a: 'x'.repeat(4 * 1024 * 1024) } });
    expect((await send('POST', configMaps, { body: large })).code).toBe(413);
    const headers = { 'Content-Type': 'application/msgpack' };
    expect((await send('POST', configMaps, { body: '{}', headers })).code).toBe(415);
    expect((await send('GET', configMaps, { headers: { Accept: 'image/png' } })).code).toBe(406);
    const apply = { 'Content-Type': 'application/apply-patch+yaml' };
    expect((await send('PATCH', `${configMaps}/x`, { body: '{}', headers: apply })).code).toBe(415);
  });

  it('warns of unknown fields or refuses them', async () => {
    const body = { ...configMap('warned'), spec: { a: 1 } };
    const warned = await send('POST', `${configMaps}?fieldValidation=Warn`, { body });
    expect(warned.headers.warning).toBe('299 - "unknown field \\"spec\\""');
    expect((await send('POST', `${configMaps}?fieldValidation=Strict`, { body })).code).toBe(400);
    await send('DELETE', `${configMaps}/warned`);
  });
});

describe('lists', () => {
  it('pages at one revision while writes go on', async () => {
    for (let i = 0; i < 5; i++)
      await send('POST', configMaps, { body: configMap(`page-${i}`, { labels: { set: 'page' } }) });
    const first = await send('GET', `${configMaps}?limit=2`);
    expect(first.json.items).toHaveLength(2);
    expect(first.json.metadata).toMatchObject({ remainingItemCount: 3 });
    await send('DELETE', `${configMaps}/page-3`);
    const seen = first.json.items.map((item) => item.metadata.name);
    let token: string | undefined = first.json.metadata.continue;
    while (token) {
      const next = await send('GET', `${configMaps}?limit=2&continue=${token}`);
      expect(next.json.metadata.resourceVersion).toBe(first.json.metadata.resourceVersion);
      seen.push(...next.json.items.map((item) => item.metadata.name));
      token = next.json.metadata.continue;
    }
    expect(seen).toEqual(['page-0', 'page-1', 'page-2', 'page-3', 'page-4']);
    const selected = await send('GET', `${configMaps}?labelSelector=set%3Dpage&limit=3`);
    expect(selected.json.items).toHaveLength(3);
  });

  it('tells of a page whose revision is compacted', async () => {
    const first = await send('GET', `${configMaps}?limit=1`);
    await send('POST', configMaps, { body: configMap('later') });
    await running.store.compact(running.store.revision());
    const next = await send('GET', `${configMaps}?limit=1&continue=${first.json.metadata.continue}`);
    expect(next.json).toMatchObject({ code: 410, reason: 'Expired' });
    await send('DELETE', configMaps);
    expect((await send('GET', configMaps)).json.items).toHaveLength(0);
  });

  it('prints tables and metadata', async () => {
    const table = await send('GET', '/api/v1/namespaces', {
      headers: { Accept: 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json' },
    });
    expect(table.json).toMatchObject({ kind: 'Table', apiVersion: 'meta.k8s.io/v1' });
    const partial = await send('GET', '/api/v1/namespaces/default', {
      headers: { Accept: 'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io' },
    });
    expect(Object.keys(partial.json)).toEqual(['kind', 'apiVersion', 'metadata']);
    const yaml = await send('GET', '/api/v1/namespaces/default', { headers: { Accept: 'application/yaml' } });
    expect(yaml.text).toContain('kind: Namespace\n');
  });
});

describe('writes', () => {
  it('guards updates by version and leaves equal content alone', async () => {
    const created = await send('POST', configMaps, { body: configMap('guarded') });
    const version = created.json.metadata.resourceVersion;
    const path = `${configMaps}/guarded`;
    const changed = await send('PUT', path, { body: { ...created.json, data: { a: 'b' } } });
    expect(changed.code).toBe(200);
    const stale = await send('PUT', path, { body: { ...created.json, data: { a: 'c' } } });
    expect(stale.json).toMatchObject({ code: 409, reason: 'Conflict' });
    expect(stale.json.message).toBe(
      'Operation cannot be fulfilled on configmaps "guarded": the object has been modified; please apply your changes to the latest version and try again',
    );
    const same = await send('PUT', path, { body: { data: { a: 'b' }, ...configMap('guarded') } });
    expect(same.json.metadata.resourceVersion).toBe(changed.json.metadata.resourceVersion);
    expect(version).not.toBe(changed.json.metadata.resourceVersion);
    await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        send('PATCH', path, {
          body: { data: { [`k${i}`]: 'v' } },
          headers: { 'Content-Type': 'application/merge-patch+json' },
        }),
      ),
    );
    const merged = (await send('GET', path)).json.data as Record<string, string>;
    expect(Object.keys(merged)).toHaveLength(21);
    const wrong = await send('DELETE', path, { body: { preconditions: { uid: 'other' } } });
    expect(wrong.code).toBe(409);
    expect((await send('DELETE', path)).json).toMatchObject({ kind: 'Status', status: 'Success' });
  });

  it('keeps a bound Pod for its grace period and objects for their finalizers', async () => {
    const pods = '/api/v1/namespaces/default/pods';
    const pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { generateName: 'p-' },
      spec: { containers: [{ name: 'c', image: 'i' }] },
    };
    const { name } = (await send('POST', pods, { body: pod })).json.metadata as { name: string };
    expect(name).toMatch(/^p-[a-z0-9]{5}$/);
    const binding = { apiVersion: 'v1', kind: 'Binding', metadata: { name }, target: { kind: 'Node', name: 'n1' } };
    expect((await send('POST', `${pods}/${name}/binding`, { body: binding })).code).toBe(201);
    expect((await send('POST', `${pods}/${name}/binding`, { body: binding })).code).toBe(409);
    const deleted = await send('DELETE', `${pods}/${name}`);
    expect(deleted.json.metadata).toMatchObject({ deletionGracePeriodSeconds: 30 });
    expect((await send('GET', `${pods}/${name}`)).code).toBe(200);
    await send('DELETE', `${pods}/${name}?gracePeriodSeconds=0`);
    expect((await send('GET', `${pods}/${name}`)).code).toBe(404);

    await send('POST', configMaps, { body: configMap('held', { finalizers: ['example.com/hold'] }) });
    await send('DELETE', `${configMaps}/held`);
    const held = await send('GET', `${configMaps}/held`);
    expect(held.json.metadata.deletionTimestamp).toBeTruthy();
    await send('PATCH', `${configMaps}/held`, {
      body: { metadata: { finalizers: null } },
      headers: { 'Content-Type': 'application/merge-patch+json' },
    });
    expect((await send('GET', `${configMaps}/held`)).code).toBe(404);
  });

  it('empties a namespace by way of finalize', async () => {
    await send('POST', '/api/v1/namespaces', {
      body: { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'going' } },
    });
    const marked = await send('DELETE', '/api/v1/namespaces/going');
    expect(marked.json).toMatchObject({ status: { phase: 'Terminating' } });
    const late = await send('POST', '/api/v1/namespaces/going/configmaps', { body: configMap('late') });
    expect(late.json).toMatchObject({ code: 403, details: { causes: [{ reason: 'NamespaceTerminating' }] } });
    await send('PUT', '/api/v1/namespaces/going/finalize', { body: { ...marked.json, spec: { finalizers: [] } } });
    expect((await send('GET', '/api/v1/namespaces/going')).code).toBe(404);
  });

  it('gives out addresses and ports, and remembers them over a restart', async () => {
    const services = '/api/v1/namespaces/default/services';
    const service = (name: string, spec: object) => ({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name },
      spec: { ports: [{ port: 80 }], ...spec },
    });
    const first = await send('POST', services, { body: service('one', { type: 'NodePort', clusterIP: '10.96.7.7' }) });
    const { ports } = first.json.spec as { ports: { nodePort: number }[] };
    const taken = { type: 'NodePort', ports: [{ port: 81, nodePort: ports[0]!.nodePort }] };
    await running.restart();
    expect((await send('POST', services, { body: service('two', { clusterIP: '10.96.7.7' }) })).json.message).toContain(
      'failed to allocate IP 10.96.7.7: provided IP is already allocated',
    );
    expect((await send('POST', services, { body: service('two', taken) })).json.message).toContain(
      'provided port is already allocated',
    );
    expect((await send('POST', services, { body: service('two', { clusterIP: '9.9.9.9' }) })).json.message).toContain(
      'is not in the valid range. The range of valid IPs is 10.96.0.0/12',
    );
    await send('DELETE', `${services}/one`);
    expect((await send('POST', services, { body: service('two', { clusterIP: '10.96.7.7' }) })).code).toBe(201);
    const headless = await send('POST', services, { body: service('none', { clusterIP: 'None' }) });
    expect(headless.json.spec).toMatchObject({ clusterIP: 'None', clusterIPs: ['None'] });
  });
});

describe('watches', () => {
  it('goes on from a list, sees selector transitions, and ends with the version of each event', async () => {
    const list = await send('GET', configMaps);
    const from = list.json.metadata.resourceVersion;
    const merge = { 'Content-Type': 'application/merge-patch+json' };
    await send('POST', configMaps, { body: configMap('seen', { labels: { a: 'b' } }) });
    await send('PATCH', `${configMaps}/seen`, { body: { data: { x: 'y' } }, headers: merge });
    await send('PATCH', `${configMaps}/seen`, { body: { metadata: { labels: { a: 'c' } } }, headers: merge });
    await send('PATCH', `${configMaps}/seen`, { body: { metadata: { labels: { a: 'b' } } }, headers: merge });
    await send('DELETE', `${configMaps}/seen`);
    const { text } = await send('GET', `${configMaps}?watch=1&resourceVersion=${from}&labelSelector=a%3Db`, {
      onData: (data) => lines(data).length >= 5,
    });
    const events = lines(text);
    expect(events.map(({ type }) => type)).toEqual(['ADDED', 'MODIFIED', 'DELETED', 'ADDED', 'DELETED']);
    const versions = events.map(({ object }) => Number(object.metadata.resourceVersion));
    expect(versions).toEqual([...versions].sort((a, b) => a - b));
    expect(new Set(versions).size).toBe(5);
  });

  it('streams the state first when asked, with the bookmark that ends it', async () => {
    const query = 'watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true';
    const { text } = await send('GET', `/api/v1/namespaces?${query}`, { onData: (data) => data.includes('BOOKMARK') });
    const events = lines(text);
    expect(events.at(-1)).toMatchObject({
      type: 'BOOKMARK',
      object: { metadata: { annotations: { 'k8s.io/initial-events-end': 'true' } } },
    });
    expect(events.filter(({ type }) => type === 'ADDED').length).toBeGreaterThanOrEqual(4);
    expect((await send('GET', '/api/v1/namespaces?watch=1&sendInitialEvents=true')).code).toBe(422);
  });

  it('answers 410 for a forgotten version and ends by its timeout', async () => {
    const old = await send('GET', `${configMaps}?watch=1&resourceVersion=1`);
    expect(old.code).toBe(410);
    const short = await send('GET', `${configMaps}?watch=1&timeoutSeconds=1`);
    expect(short.code).toBe(200);
  });
});

describe('the in-process client', () => {
  it('reads the same frozen objects, watches and is authorized', async () => {
    const client = running.server.client({ name: 'test', groups: ['system:masters'] });
    const resource = { group: '', version: 'v1', plural: 'configmaps', namespaced: true };
    const abort = new AbortController();
    const seen: string[] = [];
    const watching = (async () => {
      for await (const event of client.watch(resource, { namespace: 'default', signal: abort.signal })) {
        seen.push(`${event.type} ${event.object.metadata.name}`);
        if (event.type === 'DELETED') abort.abort();
      }
    })();
    const created = await client.create(resource, configMap('mine', { namespace: 'default' }));
    expect(Object.isFrozen(created.metadata)).toBe(true);
    const name = { namespace: 'default', name: 'mine' };
    expect(await client.get(resource, name)).toBe(created);
    const updated = await client.update<KubeObject>(resource, {
      ...created,
      metadata: { ...created.metadata, labels: { a: 'b' } },
    });
    expect(updated.metadata.resourceVersion).not.toBe(created.metadata.resourceVersion);
    await client.delete(resource, name);
    await watching;
    expect(seen.slice(-3)).toEqual(['ADDED mine', 'MODIFIED mine', 'DELETED mine']);
    const nobody = running.server.client({ name: 'nobody', groups: [] });
    await expect(nobody.list(resource)).rejects.toMatchObject({ reason: 'Forbidden', statusCode: 403 });
  });
});
