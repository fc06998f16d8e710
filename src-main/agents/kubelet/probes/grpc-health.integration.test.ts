// The gRPC health check against a real gRPC server, and against servers that are none.

import { type Http2Server, type ServerHttp2Session, createServer } from 'node:http2';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { Server, ServerCredentials, type handleUnaryCall, status } from '@grpc/grpc-js';
import { afterEach, expect, test } from 'vitest';
import type { Pod } from '../../../api';
import type { ContainerRuntime } from '../runtime/runtime';
import { checkGrpcHealth } from './grpc-health';
import { Prober } from './prober';

const cleanups: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
});

const bytes = (buffer: Buffer) => buffer;
const check = {
  path: '/grpc.health.v1.Health/Check',
  requestStream: false,
  responseStream: false,
  requestSerialize: bytes,
  requestDeserialize: bytes,
  responseSerialize: bytes,
  responseDeserialize: bytes,
};

/** A gRPC server; `answer` gets the request message and says the status, or fails the call. */
async function grpcServer(answer?: handleUnaryCall<Buffer, Buffer>): Promise<number> {
  const server = new Server();
  if (answer) server.addService({ check }, { check: answer });
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    ),
  );
  cleanups.push(() => server.forceShutdown());
  return port;
}

async function http2Server(configure: (server: Http2Server) => void): Promise<number> {
  const server = createServer();
  const sessions = new Set<ServerHttp2Session>();
  server.on('session', (session) => sessions.add(session));
  configure(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanups.push(() => {
    for (const session of sessions) session.destroy();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

const ask = (port: number, more: { service?: string; timeoutMs?: number } = {}) =>
  checkGrpcHealth({ host: '127.0.0.1', port, service: '', timeoutMs: 20_000, ...more });

test('a serving server is healthy, and is asked for the service by name', async () => {
  const asked: string[] = [];
  const port = await grpcServer((call, reply) => {
    asked.push(call.request.toString('hex'));
    reply(null, Buffer.from('0801', 'hex'));
  });
  expect(await ask(port)).toEqual({ ok: true, output: '' });
  expect(await ask(port, { service: 'db' })).toEqual({ ok: true, output: '' });
  expect(asked).toEqual(['', '0a026462']);
});

test('the prober asks by gRPC, not by opening a connection', async () => {
  const port = await grpcServer((_call, reply) => reply(null, Buffer.from('0802', 'hex')));
  const container: Pod['spec']['containers'][number] = { name: 'c', image: 'i' };
  const target = { container, containerId: 'id', podIP: '127.0.0.1' };
  const result = await new Prober({} as ContainerRuntime).run({ grpc: { port } }, target, 20_000);
  expect(result).toEqual({ ok: false, output: 'service unhealthy (responded with "NOT_SERVING")' });
});

test('what a server cannot or will not say is a failure in words', async () => {
  expect((await ask(await grpcServer())).output).toContain(
    'this server does not implement the grpc health protocol (grpc.health.v1.Health)',
  );
  const unknown = await grpcServer((_call, reply) => reply({ code: status.NOT_FOUND, details: 'unknown service' }));
  expect(await ask(unknown)).toEqual({
    ok: false,
    output: 'error: health rpc probe failed: code = 5 desc = unknown service',
  });
  const web = await http2Server((server) =>
    server.on('stream', (stream) => {
      stream.respond({ ':status': 200 });
      stream.end('<html>');
    }),
  );
  expect((await ask(web)).output).toBe('error: health rpc probe failed: the server did not answer as gRPC does');
});

test('a server that is silent, or is none, fails within the time-out', async () => {
  const silent = await http2Server((server) =>
    server.on('stream', (stream) => stream.on('error', () => stream.close())),
  );
  expect((await ask(silent, { timeoutMs: 1500 })).output).toMatch(/^timeout: .* within 1\.5s$/);
  const mute = createTcpServer((socket) => socket.resume());
  await new Promise<void>((resolve) => mute.listen(0, '127.0.0.1', resolve));
  const { port } = mute.address() as AddressInfo;
  expect((await ask(port, { timeoutMs: 500 })).output).toBe(
    `timeout: failed to connect service "127.0.0.1:${port}" within 0.5s`,
  );
  // Resolves once the last connection is gone: a probe leaves none behind.
  await new Promise<void>((resolve) => mute.close(() => resolve()));
  expect((await ask(port)).output).toContain(`error: failed to connect service at "127.0.0.1:${port}"`);
});
