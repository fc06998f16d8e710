// The endpoint under what etcdctl never does: bad input, slow readers, many watches and streams, certificates.

import { mkdtemp, rm } from 'node:fs/promises';
import { connect as connectHttp2 } from 'node:http2';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { once } from 'node:events';
import {
  type Client,
  type ClientDuplexStream,
  credentials,
  makeClientConstructor,
  type ServiceError,
} from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { silentLogger } from '../../kit';
import { openLmdbStore } from '../open';
import type { LocalStore } from '../store';
import { services } from './protocol';
import { type EtcdServer, type EtcdServerOptions, startEtcdServer } from './server';

interface Frame {
  watch_id: string;
  created: boolean;
  canceled: boolean;
  compact_revision: string;
  cancel_reason: string;
  fragment: boolean;
  header: { revision: string };
  events: { type: number; kv: { key: Buffer; mod_revision: string }; prev_kv: { value: Buffer } | null }[];
}

type Unary = (request: object, callback: (error: ServiceError | null, response: Frame) => void) => void;

let directory: string;
let store: LocalStore;
let server: EtcdServer;
const clients: Client[] = [];

async function start(options: Partial<EtcdServerOptions> = {}): Promise<void> {
  server = await startEtcdServer({ store, logger: silentLogger, listen: [{ host: '127.0.0.1', port: 0 }], ...options });
}

function client(service: keyof typeof services): Client {
  const made = new (makeClientConstructor(services[service], service))(
    `127.0.0.1:${server.port}`,
    credentials.createInsecure(),
    { 'grpc.max_receive_message_length': -1 },
  );
  clients.push(made);
  return made;
}

/** The error a call ends with, as `code: text`; '' when it succeeds. */
function refusal(service: keyof typeof services, method: string, request: object): Promise<string> {
  const target = client(service);
  const call = (target as unknown as Record<string, Unary>)[method]!.bind(target);
  return new Promise((resolve) => {
    call(request, (error) => resolve(error ? `${error.code}: ${error.details}` : ''));
  });
}

/** A watch stream whose frames are collected. */
function watchStream(): { call: ClientDuplexStream<object, Frame>; frames: Frame[] } {
  const target = client('watch');
  const open = (target as unknown as { Watch: () => ClientDuplexStream<object, Frame> }).Watch.bind(target);
  const call = open();
  const frames: Frame[] = [];
  call.on('data', (frame: Frame) => frames.push(frame));
  call.on('error', () => undefined);
  return { call, frames };
}

const until = (condition: () => boolean) => expect.poll(condition, { timeout: 20_000, interval: 10 }).toBe(true);
const bytes = (text: string) => Buffer.from(text);
const put = (key: string, value = 'v') => store.put({ key, value: bytes(value) });

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'pilothouse-endpoint-'));
  store = await openLmdbStore({ directory, logger: silentLogger });
});

afterEach(async () => {
  for (const item of clients.splice(0)) item.close();
  await server?.stop();
  await store.close();
  await rm(directory, { recursive: true, force: true });
});

describe('bad input', () => {
  it("is refused with etcd's codes and texts", async () => {
    await start();
    await put('a');
    const range = (request: object) => refusal('kv', 'Range', request);
    expect(await range({})).toBe('3: etcdserver: key is not provided');
    expect(await range({ key: bytes('a'), revision: '99' })).toMatch(/^11: etcdserver: mvcc: .* future revision$/);
    expect(await range({ key: bytes('a'), sort_target: 77 })).toBe('3: etcdserver: invalid sort option');
    const operation = { request_put: { key: bytes('k'), value: bytes('v') } };
    expect(await refusal('kv', 'Txn', { success: [operation, operation] })).toMatch(/^3: .*duplicate key/);
    const many = Array.from({ length: 129 }, (_, i) => ({ request_range: { key: bytes(`k${i}`) } }));
    expect(await refusal('kv', 'Txn', { success: many })).toBe('3: etcdserver: too many operations in txn request');
    expect(await refusal('kv', 'Txn', { success: [{}] })).toBe('3: etcdserver: key not found');
    expect(await refusal('kv', 'Compact', { revision: '99' })).toMatch(/^11: /);
    expect(await refusal('lease', 'LeaseRevoke', { ID: '5' })).toBe('5: etcdserver: requested lease not found');
    expect(await refusal('cluster', 'MemberAdd', { peerURLs: ['nonsense'] })).toMatch(/^3: .*URLs are invalid$/);
    expect(await refusal('health', 'Check', { service: 'etcdserverpb.KV' })).toBe('');
    expect(await refusal('health', 'Check', { service: 'other' })).toBe('5: unknown service');
  });

  it('is refused when too large, by the request and by the message', async () => {
    await start();
    const value = (mebibytes: number) => ({ key: bytes('k'), value: Buffer.alloc(mebibytes * 1024 * 1024) });
    expect(await refusal('kv', 'Put', value(1))).toBe('');
    expect(await refusal('kv', 'Put', value(1.6))).toBe('3: etcdserver: request is too large');
    expect(await refusal('kv', 'Put', value(3))).toMatch(/^8: /);
    expect(store.revision()).toBe(2);
  });

  it('as broken frames harms nobody else', async () => {
    await start();
    const send = async (data: Buffer) => {
      const socket = connect(server.port, '127.0.0.1');
      socket.on('error', () => undefined);
      socket.end(data);
      socket.resume();
      await once(socket, 'close');
    };
    await send(Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\xff\xff\xff\xff\xff\xff\xff\xff\xff', 'latin1'));
    await send(Buffer.from([0x16, 0x03, 0x01, 0, 0, 0, 0, 0]));
    const session = connectHttp2(server.url);
    const headers = { ':method': 'POST', ':path': '/etcdserverpb.KV/Put', 'content-type': 'application/grpc' };
    for (const body of [Buffer.from([0, 0, 0, 0, 3, 0x0a, 0x7f, 0x61]), Buffer.from([0, 0, 0, 0, 2, 0x0f, 0xff])]) {
      const stream = session.request(headers);
      stream.end(body);
      const trailers = once(stream, 'response');
      stream.resume();
      expect((await trailers)[0]).toMatchObject({ 'grpc-status': '13' });
    }
    session.close();
    expect(await refusal('kv', 'Put', { key: bytes('k'), value: bytes('v') })).toBe('');
  });
});

describe('watches', () => {
  it('run side by side on one stream, with filters, previous values and progress', async () => {
    await start();
    const { call, frames } = watchStream();
    const all = { key: bytes('a'), range_end: bytes('b') };
    call.write({ create_request: { ...all, prev_kv: true } });
    call.write({ create_request: { ...all, filters: [0], watch_id: '7' } });
    call.write({ create_request: { ...all, watch_id: '7' } });
    await until(() => frames.length === 3);
    expect(frames.map((frame) => [frame.watch_id, frame.canceled])).toEqual([
      ['0', false],
      ['7', false],
      ['-1', true],
    ]);
    await put('a1', 'one');
    await put('a1', 'two');
    await store.deleteRange({ key: 'a1' });
    call.write({ progress_request: {} });
    await until(() => frames.at(-1)!.watch_id === '-1' && frames.length > 4);
    const told = (id: string) => frames.filter((frame) => frame.watch_id === id).flatMap(({ events }) => events);
    expect(told('0').map(({ type, prev_kv: before }) => [type, before?.value.toString()])).toEqual([
      [0, undefined],
      [0, 'one'],
      [1, 'two'],
    ]);
    expect(told('7').map(({ type }) => type)).toEqual([1]);
    expect(frames.at(-1)!.header.revision).toBe('4');
    call.write({ cancel_request: { watch_id: '7' } });
    await until(() => frames.at(-1)!.canceled);
    call.end();
  });

  it('that start in the past hear everything since, or that it is gone', async () => {
    await start();
    for (let i = 0; i < 1200; i++) void put(`k${i}`);
    await put('last');
    await store.compact(10);
    const { call, frames } = watchStream();
    const all = { key: Buffer.from([0]), range_end: Buffer.from([0]) };
    call.write({ create_request: { ...all, start_revision: '11' } });
    call.write({ create_request: { ...all, start_revision: '5' } });
    call.write({ progress_request: {} });
    await until(() => frames.some(({ watch_id: id, created }) => id === '-1' && !created));
    const revisions = frames.flatMap(({ events }) => events).map(({ kv }) => Number(kv.mod_revision));
    expect(revisions).toEqual(Array.from({ length: store.revision() - 10 }, (_, i) => i + 11));
    const cancelled = frames.find(({ canceled }) => canceled)!;
    expect(cancelled).toMatchObject({ watch_id: '1', compact_revision: '10' });
    expect(cancelled.cancel_reason).toBe('etcdserver: mvcc: required revision has been compacted');
    call.end();
  });

  it('of a reader that stops are bounded in memory and miss nothing once it reads on', {
    timeout: 60_000,
  }, async () => {
    await start({ watch: { maxQueuedBytes: 64 * 1024 } });
    const { call, frames } = watchStream();
    call.write({ create_request: { key: bytes('k'), range_end: bytes('l') } });
    await until(() => frames.length === 1);
    call.pause();
    for (let i = 0; i < 400; i++) await put('k', 'x'.repeat(10_000));
    call.resume();
    const seen = () => frames.flatMap(({ events }) => events).map(({ kv }) => Number(kv.mod_revision));
    await until(() => seen().length >= 400);
    expect(seen()).toEqual(Array.from({ length: 400 }, (_, i) => i + 2));
    call.end();
  });

  it('split large responses when asked to', async () => {
    await start({ maxRequestBytes: 50_000 });
    const { call, frames } = watchStream();
    call.write({ create_request: { key: bytes('f'), range_end: bytes('g'), fragment: true } });
    await until(() => frames.length === 1);
    const success = Array.from({ length: 10 }, (_, i) => ({
      type: 'put' as const,
      request: { key: `f${i}`, value: Buffer.alloc(20_000) },
    }));
    await store.txn({ compare: [], success, failure: [] });
    await until(() => frames.flatMap(({ events }) => events).length === 10);
    expect(frames.slice(1).map(({ fragment }) => fragment)).toEqual([true, true, true, true, false]);
    call.end();
  });

  it('by the thousand on many streams come and go without a trace', { timeout: 60_000 }, async () => {
    await start();
    const streams = Array.from({ length: 200 }, watchStream);
    for (const { call } of streams)
      for (let i = 0; i < 10; i++) call.write({ create_request: { key: bytes(`w${i}`) } });
    await until(() => streams.every(({ frames }) => frames.length === 10));
    await put('w3');
    await until(() => streams.every(({ frames }) => frames.length === 11));
    const watches = async () =>
      /etcd_debugging_mvcc_watcher_total (\d+)/.exec(await (await fetch(`${server.url}/metrics`)).text())?.[1];
    expect(await watches()).toBe('2000');
    for (const { call } of streams) call.cancel();
    await expect.poll(watches, { timeout: 20_000 }).toBe('0');
  });
});

describe('reflection', () => {
  it('lists the services and describes them with what they import', async () => {
    await start();
    const target = client('reflection');
    interface Answer {
      list_services_response?: { service: { name: string }[] };
      file_descriptor_response?: { file_descriptor_proto: Buffer[] };
    }
    const open = (target as unknown as { ServerReflectionInfo: () => ClientDuplexStream<object, Answer> })
      .ServerReflectionInfo;
    const call = open.call(target);
    const answers: Answer[] = [];
    call.on('data', (answer: Answer) => answers.push(answer));
    call.write({ list_services: '' });
    call.write({ file_containing_symbol: 'etcdserverpb.KV.Range' });
    await until(() => answers.length === 2);
    const names = answers[0]!.list_services_response!.service.map(({ name }) => name);
    expect(names).toContain('etcdserverpb.KV');
    expect(names).toContain('grpc.health.v1.Health');
    expect(answers[1]!.file_descriptor_response!.file_descriptor_proto).toHaveLength(3);
    call.end();
  });
});
