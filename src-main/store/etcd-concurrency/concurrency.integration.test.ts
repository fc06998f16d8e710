import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, type ClientReadableStream, credentials, type MethodDefinition } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { silentLogger } from '../../kit';
import { openLmdbStore } from '../index';
import { type EtcdServer, services, startEtcdServer } from '../etcd';
import type { LocalStore } from '../store';
import { electionService, lockService } from './index';

const etcdctl = '/usr/bin/etcdctl';
const patience = { timeout: 20_000, interval: 20 };
const bytes = (text: string) => Buffer.from(text);

let directory: string;
let store: LocalStore;
let server: EtcdServer;
let client: Client;
const children: ChildProcess[] = [];

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'pilothouse-concurrency-'));
  store = await openLmdbStore({ directory, logger: silentLogger });
  server = await startEtcdServer({
    store,
    logger: silentLogger,
    listen: [{ host: '127.0.0.1', port: 0 }],
    services: ({ header }) => [lockService({ store, header }), electionService({ store, header })],
  });
  client = new Client(`127.0.0.1:${server.port}`, credentials.createInsecure());
});

afterAll(async () => {
  await Promise.all(children.map(ended));
  client?.close();
  await server?.stop();
  await store?.close();
  await rm(directory, { recursive: true, force: true });
});

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill('SIGKILL');
  await exit;
}

interface Running<A> {
  answer: Promise<A>;
  cancel(): void;
}

function start<A>(method: MethodDefinition<object, object>, request: object): Running<A> {
  const { path, requestSerialize: encode, responseDeserialize: decode } = method;
  let cancel = () => {};
  const answer = new Promise<A>((resolve, reject) => {
    const options = { deadline: Date.now() + 30_000 };
    const call = client.makeUnaryRequest(path, encode, decode, request, options, (error, value) =>
      error ? reject(error) : resolve(value as A),
    );
    cancel = () => call.cancel();
  });
  return { answer, cancel };
}

const lock = (name: string, lease: bigint) =>
  start<{ key: Buffer }>(services.lock['Lock']!, { name: bytes(name), lease: String(lease) });
const unlock = (key: Buffer) => start<object>(services.lock['Unlock']!, { key }).answer;
const newLease = async () => (await store.grantLease({ ttlSeconds: 600 })).id;
const queueOf = async (name: string) => (await store.range({ key: `${name}/`, rangeEnd: `${name}0` })).kvs;

describe('v3lock', () => {
  it('gives the lock to one at a time, in the order of asking', async () => {
    const leases = [await newLease(), await newLease(), await newLease()];
    const held: number[] = [];
    const running: Running<{ key: Buffer }>[] = [];
    for (const [i, lease] of leases.entries()) {
      running.push(lock('order', lease));
      void running[i]!.answer.then(() => held.push(i));
      await expect.poll(async () => (await queueOf('order')).length, patience).toBe(i + 1);
    }
    for (const [i, lease] of leases.entries()) {
      const { key } = await running[i]!.answer;
      expect(key.toString()).toBe(`order/${lease.toString(16)}`);
      expect(held).toEqual(Array.from({ length: i + 1 }, (_, n) => n));
      await unlock(key);
    }
  });

  it('passes on when a lease ends, answers a repeated call at once, and forgets who gives up', async () => {
    const [owner, quitter, heir] = [await newLease(), await newLease(), await newLease()];
    await lock('pass', owner).answer;
    await lock('pass', owner).answer;
    const given = lock('pass', quitter);
    await expect.poll(async () => (await queueOf('pass')).length, patience).toBe(2);
    const waiting = lock('pass', heir);
    await expect.poll(async () => (await queueOf('pass')).length, patience).toBe(3);
    given.cancel();
    await expect(given.answer).rejects.toMatchObject({ code: 1 });
    await expect.poll(async () => (await queueOf('pass')).length, patience).toBe(2);
    await store.revokeLease(owner);
    await waiting.answer;
    await expect(lock('pass', 12345n).answer).rejects.toMatchObject({ code: 5 });
  });

  it('tells who lost its place while it waited', async () => {
    const [owner, loser] = [await newLease(), await newLease()];
    const { key } = await lock('lost', owner).answer;
    const waiting = lock('lost', loser);
    await expect.poll(async () => (await queueOf('lost')).length, patience).toBe(2);
    const refused = expect(waiting.answer).rejects.toMatchObject({ details: 'mutex: session is expired' });
    await store.revokeLease(loser);
    await unlock(key);
    await refused;
  });
});

interface Leader {
  leader: { name: Buffer; key: Buffer; rev: string; lease: string };
}

describe('v3election', () => {
  const { election } = services;
  const campaign = (name: string, lease: bigint, value: string) =>
    start<Leader>(election['Campaign']!, { name: bytes(name), lease: String(lease), value: bytes(value) });
  const call = <A>(method: string, request: object) => start<A>(election[method]!, request).answer;

  it('elects, proclaims, tells observers and passes on', async () => {
    const { path, requestSerialize, responseDeserialize } = election['Observe']!;
    const seen: string[] = [];
    const observing: ClientReadableStream<{ kv: { value: Buffer } }> = client.makeServerStreamRequest(
      path,
      requestSerialize,
      responseDeserialize,
      { name: bytes('chair') },
    );
    observing.on('data', ({ kv }) => seen.push(kv.value.toString()));
    observing.on('error', () => seen.push('end'));
    await expect(call('Leader', { name: bytes('chair') })).rejects.toMatchObject({ details: 'election: no leader' });
    const [one, two] = [await newLease(), await newLease()];
    const { leader } = await campaign('chair', one, 'one').answer;
    expect(leader).toMatchObject({ name: bytes('chair'), lease: String(one) });
    const second = campaign('chair', two, 'two');
    await expect.poll(async () => (await queueOf('chair')).length, patience).toBe(2);
    await expect.poll(() => seen, patience).toEqual(['one']);
    await call('Proclaim', { leader, value: bytes('still one') });
    expect(await call('Leader', { name: bytes('chair') })).toMatchObject({ kv: { value: bytes('still one') } });
    await expect.poll(() => seen, patience).toEqual(['one', 'still one']);
    await call('Resign', { leader });
    await second.answer;
    await expect.poll(() => seen, patience).toEqual(['one', 'still one', 'two']);
    await expect(call('Proclaim', { leader, value: bytes('x') })).rejects.toMatchObject({
      details: 'election: not leader',
    });
    observing.cancel();
    await expect.poll(() => seen.at(-1), patience).toBe('end');
  });
});

describe.skipIf(!existsSync(etcdctl))('etcdctl (etcd-client of Debian)', () => {
  function run(...parameters: string[]): { child: ChildProcess; output: () => string } {
    const env = { ETCDCTL_API: '3', PATH: process.env['PATH'] };
    const child = spawn(etcdctl, ['--endpoints', server.url, ...parameters], {
      env,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    children.push(child);
    let text = '';
    child.stdout!.on('data', (chunk) => {
      text += chunk;
    });
    return { child, output: () => text };
  }

  it('stands in the same queue with lock', async () => {
    const held = run('lock', 'shared');
    await expect.poll(held.output, patience).toMatch(/^shared\/[0-9a-f]+\n\n$/);
    const next = run('lock', 'shared', 'echo', 'mine');
    await expect.poll(async () => (await queueOf('shared')).length, patience).toBe(2);
    const ours = lock('shared', await newLease());
    await expect.poll(async () => (await queueOf('shared')).length, patience).toBe(3);
    expect(next.output()).toBe('');
    held.child.kill('SIGINT');
    await expect.poll(next.output, patience).toBe('mine\n');
    await ours.answer;
  });

  it('elects and listens', async () => {
    const candidate = run('elect', 'office', 'anna');
    await expect.poll(candidate.output, patience).toMatch(/^office\/[0-9a-f]+\nanna\n$/);
    const listener = run('elect', '-l', 'office');
    await expect.poll(listener.output, patience).toMatch(/anna/);
    const lease = await newLease();
    const request = { name: bytes('office'), lease: String(lease), value: bytes('bert') };
    const ours = start<Leader>(services.election['Campaign']!, request);
    await expect.poll(async () => (await queueOf('office')).length, patience).toBe(2);
    candidate.child.kill('SIGINT');
    await ours.answer;
    await expect.poll(listener.output, patience).toMatch(/bert/);
  });
});
