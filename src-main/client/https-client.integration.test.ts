import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import * as x509 from '@peculiar/x509';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { resources, type Pod } from '../api';
import { ApiError } from './api-error';
import { createHttpsClient, type HttpsClient } from './https-client';
import { clientFromKubeconfig } from './kubeconfig';

interface Identity {
  cert: string;
  key: string;
}

async function makeIdentity(): Promise<Identity> {
  x509.cryptoProvider.set(webcrypto as unknown as Parameters<typeof x509.cryptoProvider.set>[0]);
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: 'CN=test',
    keys,
    notBefore: new Date(Date.now() - 60_000),
    notAfter: new Date(Date.now() + 3_600_000),
    signingAlgorithm: algorithm,
    extensions: [
      new x509.BasicConstraintsExtension(true),
      new x509.SubjectAlternativeNameExtension([{ type: 'ip', value: '127.0.0.1' }]),
    ],
  });
  const pkcs8 = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey);
  return { cert: certificate.toString('pem'), key: x509.PemConverter.encode(pkcs8, 'PRIVATE KEY') };
}

describe('HTTPS client', () => {
  let identity: Identity;
  let server: Server;
  let address: string;
  let client: HttpsClient;
  let handle: (request: IncomingMessage, response: ServerResponse) => void;
  let connections = 0;

  beforeAll(async () => {
    identity = await makeIdentity();
    server = createServer(
      { ...identity, requestCert: true, rejectUnauthorized: false, ca: identity.cert },
      (req, res) => handle(req, res),
    );
    server.on('secureConnection', () => connections++);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    address = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
    client = createHttpsClient({ server: address, ca: identity.cert, token: 'secret', userAgent: 'test/1' });
  });

  afterEach(() => {
    server.closeAllConnections();
  });

  afterAll(async () => {
    client.close();
    await new Promise((resolve) => server.close(resolve));
  });

  it('sends what each verb needs and freezes what it answers', async () => {
    const seen: string[] = [];
    handle = (request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => {
        const type = request.headers['content-type'] ?? '-';
        seen.push(`${request.method} ${request.url} ${type} ${request.headers.authorization}`);
        response.setHeader('content-type', 'application/json');
        response.end(JSON.stringify({ metadata: { name: 'a' }, echo: body === '' ? null : JSON.parse(body) }));
      });
    };
    const pod = await client.get<Pod>(resources.pods, { namespace: 'n s', name: 'a' });
    expect(Object.isFrozen(pod.metadata)).toBe(true);
    await client.list(resources.pods, { namespace: 'x', labelSelector: 'a=b', limit: 5, continue: 'c' });
    await client.create(resources.deployments, { metadata: { namespace: 'x' } }, { dryRun: true });
    await client.update(resources.nodes, { metadata: { name: 'n' } }, { subresource: 'status' });
    await client.patch(resources.nodes, { name: 'n' }, { type: 'strategic', body: {}, fieldManager: 'me' });
    await client.delete(resources.nodes, { name: 'n' }, { gracePeriodSeconds: 0 });
    expect(seen).toEqual([
      'GET /api/v1/namespaces/n%20s/pods/a - Bearer secret',
      'GET /api/v1/namespaces/x/pods?labelSelector=a%3Db&limit=5&continue=c - Bearer secret',
      'POST /apis/apps/v1/namespaces/x/deployments?dryRun=All application/json Bearer secret',
      'PUT /api/v1/nodes/n/status application/json Bearer secret',
      'PATCH /api/v1/nodes/n?fieldManager=me application/strategic-merge-patch+json Bearer secret',
      'DELETE /api/v1/nodes/n application/json Bearer secret',
    ]);
  });

  it('keeps one connection for requests that follow each other', async () => {
    handle = (_, response) => response.end('{"metadata":{}}');
    const before = connections;
    for (let i = 0; i < 5; i++) await client.list(resources.pods);
    expect(connections - before).toBeLessThanOrEqual(1);
  });

  it('turns a Status and any other refusal into an ApiError', async () => {
    handle = (_, response) => {
      response.statusCode = 409;
      response.end(JSON.stringify({ kind: 'Status', reason: 'AlreadyExists', message: 'pods "a" already exists' }));
    };
    const refused = await client.get(resources.nodes, { name: 'a' }).catch((error: unknown) => error);
    expect(ApiError.is(refused, 'AlreadyExists')).toBe(true);
    expect(refused).toMatchObject({ statusCode: 409, message: 'pods "a" already exists' });
    handle = (_, response) => {
      response.statusCode = 503;
      response.end('upstream is away');
    };
    const away = await client.get(resources.nodes, { name: 'a' }).catch((error: unknown) => error);
    expect(away).toMatchObject({ reason: 'ServiceUnavailable', retryable: true, message: 'upstream is away' });
  });

  it('sends a read again when the kept connection died, and reports an unreachable server', async () => {
    handle = (_, response) => response.end('{"metadata":{}}');
    await client.list(resources.pods);
    let first = true;
    handle = (request, response) => {
      if (first) request.socket.destroy();
      else response.end('{"metadata":{"resourceVersion":"7"}}');
      first = false;
    };
    expect((await client.list(resources.pods)).metadata.resourceVersion).toBe('7');
    handle = (request) => request.socket.destroy();
    await expect(client.delete(resources.nodes, { name: 'a' })).rejects.toMatchObject({
      code: 'API_UNREACHABLE',
      retryable: true,
    });
    const nobody = createHttpsClient({ server: 'https://127.0.0.1:1', userAgent: 'test' });
    await expect(nobody.list(resources.pods)).rejects.toMatchObject({ code: 'API_UNREACHABLE' });
  });

  it('gives up a request at its deadline', async () => {
    handle = (request) => request.resume();
    await expect(client.requestRaw({ method: 'GET', path: '/slow', deadlineMs: 30 })).rejects.toMatchObject({
      code: 'API_UNREACHABLE',
      details: { deadlineMs: 30 },
    });
  });

  it('streams watch events split anywhere and ends quietly when aborted', async () => {
    const event = (name: string) => `${JSON.stringify({ type: 'ADDED', object: { metadata: { name } } })}\n`;
    const bytes = Buffer.from(event('ä') + event('b'));
    handle = (request, response) => {
      expect(request.url).toBe('/api/v1/pods?watch=true&allowWatchBookmarks=true&resourceVersion=5&timeoutSeconds=60');
      response.flushHeaders();
      const parts = [bytes.subarray(0, 43), bytes.subarray(43, 44), bytes.subarray(44)];
      const send = () => {
        const part = parts.shift();
        if (part) response.write(part, () => setImmediate(send));
      };
      send();
    };
    const controller = new AbortController();
    const names: string[] = [];
    const options = { resourceVersion: '5', allowBookmarks: true, timeoutSeconds: 60, signal: controller.signal };
    for await (const item of client.watch(resources.pods, options)) {
      names.push(item.object.metadata.name!);
      if (names.length === 2) controller.abort();
    }
    expect(names).toEqual(['ä', 'b']);
  });

  it('throws what an ERROR event says, and refuses a watch as any request', async () => {
    const status = { kind: 'Status', reason: 'Expired', code: 410 };
    handle = (_, response) => response.end(`${JSON.stringify({ type: 'ERROR', object: status })}\n`);
    const { signal } = new AbortController();
    const read = async () => {
      for await (const item of client.watch(resources.pods, { signal })) expect(item).toBeUndefined();
    };
    await expect(read()).rejects.toMatchObject({ reason: 'Expired', statusCode: 410 });
    handle = (_, response) => {
      response.statusCode = 403;
      response.end(JSON.stringify({ kind: 'Status', reason: 'Forbidden', code: 403 }));
    };
    await expect(read()).rejects.toMatchObject({ reason: 'Forbidden' });
  });

  it('reads a log as it comes', async () => {
    handle = (request, response) => {
      expect(request.url).toBe('/api/v1/namespaces/n/pods/p/log?container=c&follow=true&tailLines=2');
      response.write('one\n');
      response.end('two\n');
    };
    const { signal } = new AbortController();
    let text = '';
    const log = client.openLog({ namespace: 'n', name: 'p', container: 'c', follow: true, tailLines: 2, signal });
    for await (const chunk of log) text += chunk.toString();
    expect(text).toBe('one\ntwo\n');
  });

  it('presents the client certificate of a kubeconfig', async () => {
    handle = (request, response) => {
      const socket = request.socket as unknown as { getPeerCertificate(): { subject?: { CN?: string } } };
      response.end(JSON.stringify({ metadata: { name: socket.getPeerCertificate().subject?.CN } }));
    };
    const base64 = (text: string) => Buffer.from(text).toString('base64');
    const text = stringify({
      'current-context': 'c',
      contexts: [{ name: 'c', context: { cluster: 'k', user: 'u' } }],
      clusters: [{ name: 'k', cluster: { server: address, 'certificate-authority-data': base64(identity.cert) } }],
      users: [
        {
          name: 'u',
          user: { 'client-certificate-data': base64(identity.cert), 'client-key-data': base64(identity.key) },
        },
      ],
    });
    const fromFile = clientFromKubeconfig(text);
    expect(fromFile.namespace).toBe('default');
    expect((await fromFile.get(resources.nodes, { name: 'x' })).metadata.name).toBe('test');
    fromFile.close();
    expect(() => clientFromKubeconfig(text, { context: 'other' })).toThrow('no context named "other"');
  });
});
