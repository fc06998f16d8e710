import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { silentLogger, systemClock } from '../../kit';
import { createTestAuthority, type KeyPair, type TestAuthority } from '../../testkit/pki';
import { describeStoreContract } from '../../testkit/store-contract';
import { type EtcdServer, startEtcdServer } from '../etcd';
import { authorizer, authService, AuthStore } from '../etcd-auth';
import { openLmdbStore } from '../index';
import type { LocalStore, Store } from '../store';
import { openEtcdStore } from './index';

const bytes = (text: string) => Buffer.from(text);

/** A link that can be cut while it is in use. */
async function startLink(port: number) {
  const sockets = new Set<Socket>();
  const answers = new Set<{ near: Socket; far: Socket }>();
  const server = createServer((near) => {
    const far = connect(port, '127.0.0.1');
    for (const socket of [near, far]) {
      sockets.add(socket);
      // Cut links end in errors; both ends go together.
      socket.on('error', () => socket.destroy());
      socket.on('close', () => {
        sockets.delete(socket);
        near.destroy();
        far.destroy();
      });
    }
    near.pipe(far);
    far.pipe(near);
    const pair = { near, far };
    answers.add(pair);
    near.on('close', () => answers.delete(pair));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const cut = () => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    port: (server.address() as AddressInfo).port,
    cut,
    /** Swallows the answers of the connections there are. */
    mute() {
      for (const { near, far } of answers) far.unpipe(near).resume();
    },
    async close() {
      server.close();
      cut();
      await once(server, 'close');
    },
  };
}

describe('a store over our own etcd endpoint', () => {
  let directory: string;
  let local: LocalStore;
  let server: EtcdServer;
  let authority: TestAuthority;
  let serving: KeyPair;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'pilothouse-external-'));
    authority = await createTestAuthority();
    serving = await authority.server('etcd', { dns: ['localhost'], ip: ['127.0.0.1'] });
    local = await openLmdbStore({ directory, logger: silentLogger });
    server = await startEtcdServer({ store: local, logger: silentLogger, listen: [{ host: '127.0.0.1', port: 0 }] });
  });

  afterAll(async () => {
    await server?.stop();
    await local?.close();
    await rm(directory, { recursive: true, force: true });
  });

  describeStoreContract('the endpoint, seen through the external store,', async () => {
    const own = await mkdtemp(join(tmpdir(), 'pilothouse-external-'));
    const store = await openLmdbStore({ directory: own, logger: silentLogger });
    const endpoint = await startEtcdServer({ store, logger: silentLogger, listen: [{ host: '127.0.0.1', port: 0 }] });
    const external = await openEtcdStore({ endpoints: [endpoint.url], logger: silentLogger });
    return {
      store: external,
      async close() {
        await external.close();
        await endpoint.stop();
        await store.close();
        await rm(own, { recursive: true, force: true });
      },
    };
  });

  it('neither repeats a write nor splits, drops or doubles an event when its connections are cut', async () => {
    const link = await startLink(server.port);
    const external = await openEtcdStore({ endpoints: [`http://127.0.0.1:${link.port}`], logger: silentLogger });
    const range = { key: 'cut/', rangeEnd: 'cut0' };
    const from = local.revision() + 1;
    const expected: string[] = [];
    const told: string[] = [];
    const collectInto = (lines: string[]) => ({
      onEvents: (events: { type: string; kv: { key: string; modRevision: number } }[]) => {
        for (const { type, kv } of events) lines.push(`${type} ${kv.key}@${kv.modRevision}`);
      },
      onEnd: () => lines.push('end'),
    });
    const watches = [
      local.watch({ ...range, startRevision: from }, collectInto(expected)),
      external.watch({ ...range, startRevision: from }, collectInto(told)),
    ];
    const acknowledged: string[] = [];
    for (let round = 0; round < 20; round++) {
      const keys = Array.from({ length: 15 }, (_, i) => `cut/${round}-${i}`);
      const puts = keys.map((key) => external.put({ key, value: bytes(key) }));
      if (round % 2 === 1) setImmediate(link.cut);
      const results = await Promise.allSettled(puts);
      for (const [i, result] of results.entries()) {
        if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'OUTCOME_UNKNOWN' });
        else if (i > 0) acknowledged.push(keys[i]!);
      }
      await external.deleteRange({ key: keys[0]! });
    }
    const { kvs } = await external.range(range);
    expect(kvs.every(({ version }) => version === 1)).toBe(true);
    const stored = new Set(kvs.map(({ key }) => key));
    expect(acknowledged.filter((key) => !stored.has(key))).toEqual([]);
    await expect.poll(() => told.length, { timeout: 20_000 }).toBe(expected.length);
    expect(told).toEqual(expected);
    for (const watch of watches) watch.cancel();
    await external.close();
    await link.close();
  });

  it('tells that an outcome is unknown when only the answer was lost, and asks again what may be asked again', async () => {
    const link = await startLink(server.port);
    const external = await openEtcdStore({ endpoints: [`http://127.0.0.1:${link.port}`], logger: silentLogger });
    link.mute();
    const put = external.put({ key: 'unknown', value: bytes('there') });
    const read = external.range({ key: 'unknown' });
    const refused = expect(put).rejects.toMatchObject({ code: 'OUTCOME_UNKNOWN', retryable: false });
    await expect.poll(async () => (await local.range({ key: 'unknown' })).count, { timeout: 20_000 }).toBe(1);
    link.cut();
    await refused;
    expect((await read).kvs[0]).toMatchObject({ value: bytes('there'), version: 1 });
    await external.close();
    await link.close();
  });

  it('shows its certificate, signs in, and signs in again when its token was forgotten', async () => {
    const { cert, key } = await authority.client('store', []);
    const auth = await AuthStore.open({ path: join(directory, 'auth.json'), clock: systemClock });
    await auth.addUser('root', 'secret');
    await auth.grantRole('root', 'root');
    await auth.enable();
    const secured = await startEtcdServer({
      store: local,
      logger: silentLogger,
      listen: [{ host: '127.0.0.1', port: 0 }],
      tls: { cert: serving.cert, key: serving.key, clientCa: authority.ca, clientCertAuth: true },
      services: ({ header }) => [authService({ auth, header })],
      authorize: authorizer(auth, local),
    });
    const open = (options: Partial<Parameters<typeof openEtcdStore>[0]>): Promise<Store> =>
      openEtcdStore({ endpoints: [secured.url], logger: silentLogger, callMs: 1_000, ...options });
    const tls = { ca: authority.ca, cert, key };
    await expect(open({ tls: { ca: authority.ca } })).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await expect(open({ tls, user: { name: 'root', password: 'wrong' } })).rejects.toMatchObject({
      code: 'REFUSED',
      hint: expect.stringContaining('authentication failed'),
    });
    const external = await open({ tls, user: { name: 'root', password: 'secret' }, callMs: 20_000 });
    const told: string[] = [];
    external.watch(
      { key: 'secret/', rangeEnd: 'secret0' },
      { onEvents: (events) => told.push(...events.map(({ kv }) => kv.key)), onEnd() {} },
    );
    await external.put({ key: 'secret/a', value: bytes('1') });
    auth.tokens.clear();
    await external.put({ key: 'secret/b', value: bytes('2') });
    await expect.poll(() => told, { timeout: 20_000 }).toEqual(['secret/a', 'secret/b']);
    await external.close();
    await secured.stop();
  });
});
