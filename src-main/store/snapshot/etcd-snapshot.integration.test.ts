// Snapshots between this store and a real etcd, both ways. Needs Debian's etcd-server and etcd-client.

import { appendFile, mkdtemp, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { silentLogger } from '../../kit';
import { type LocalStore, openLmdbStore } from '../index';
import { checkStore, hashKv, restoreSnapshot, saveSnapshot, snapshotStatus } from './index';
import { etcdctl, freePeerUrl, hasRealEtcd, type RealEtcd, startRealEtcd } from './testing/real-etcd';

let directory: string;
const closing: (() => Promise<unknown>)[] = [];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'pilothouse-snapshot-'));
});

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
  await rm(directory, { recursive: true, force: true });
});

async function openStore(name: string): Promise<LocalStore> {
  const store = await openLmdbStore({ directory: join(directory, name), logger: silentLogger });
  closing.push(() => store.close());
  return store;
}

async function startEtcd(name: string, peerUrl?: string): Promise<RealEtcd> {
  const etcd = await startRealEtcd(join(directory, name), peerUrl);
  closing.push(() => etcd.stop());
  return etcd;
}

interface EtcdKeyValue {
  key: string;
  value?: string;
  create_revision: number;
  mod_revision: number;
  version: number;
  lease?: number;
}

async function everythingIn(etcd: RealEtcd, ...flags: string[]): Promise<Record<string, unknown>[]> {
  const answer = await etcd.ctl('get', '', '--from-key', '-w', 'json', ...flags);
  const { kvs = [] } = JSON.parse(answer) as { kvs?: EtcdKeyValue[] };
  return kvs.map((kv) => ({
    key: Buffer.from(kv.key, 'base64').toString('latin1'),
    value: kv.value ?? '',
    createRevision: kv.create_revision,
    modRevision: kv.mod_revision,
    version: kv.version,
    leased: Boolean(kv.lease),
  }));
}

async function everythingOf(store: LocalStore, revision?: number): Promise<Record<string, unknown>[]> {
  const { kvs } = await store.range({ key: '\0', rangeEnd: '\0', revision });
  return kvs.map(({ value, lease, ...rest }) => ({
    ...rest,
    value: value.toString('base64'),
    leased: lease !== 0n,
  }));
}

async function hashOf(etcd: RealEtcd, revision?: number): Promise<number> {
  const flags = revision ? ['--rev', String(revision)] : [];
  const [answer] = JSON.parse(await etcd.ctl('endpoint', 'hashkv', '-w', 'json', ...flags)) as [
    { HashKV: { hash: number } },
  ];
  return answer.HashKV.hash;
}

async function fillEtcd(etcd: RealEtcd): Promise<void> {
  await etcd.ctl('put', 'a', '1');
  await etcd.ctl('put', 'b', 'x'.repeat(20_000));
  await etcd.ctl('del', 'a');
  await etcd.ctl('put', 'a', '2');
  await etcd.ctl('put', 'gone', '1');
  await etcd.ctl('del', 'gone');
  await etcd.ctl('lease', 'grant', '3000');
  const lease = (JSON.parse(await etcd.ctl('lease', 'list', '-w', 'json')) as { leases: [{ id: number }] }).leases[0];
  // JSON numbers are not exact at this size: ask for the hexadecimal form.
  expect(lease.id).toBeGreaterThan(0);
  const id = (await etcd.ctl('lease', 'list')).trim().split('\n').pop()!;
  await etcd.ctl('put', '--lease', id, 'leased', '1');
  await etcd.ctl('compact', '4');
  for (let i = 0; i < 20; i++) await etcd.ctl('put', `many/${i}`, 'v'.repeat(i * 37));
}

describe.skipIf(!hasRealEtcd)('snapshots and a real etcd (etcd and etcdctl must be installed)', () => {
  it('restores what a real etcd saved: keys, history, leases, compaction, hash', async () => {
    const etcd = await startEtcd('etcd');
    await fillEtcd(etcd);
    const file = join(directory, 'etcd.snapshot');
    await etcd.ctl('snapshot', 'save', file);
    const restored = await restoreSnapshot({ file, directory: join(directory, 'store') });
    const store = await openStore('store');
    expect(store.revision()).toBe(restored.revision);
    expect(await everythingOf(store)).toEqual(await everythingIn(etcd));
    expect(await everythingOf(store, 6)).toEqual(await everythingIn(etcd, '--rev', '6'));
    expect(store.compactRevision()).toBe(4);
    await expect(store.range({ key: 'a', revision: 3 })).rejects.toMatchObject({ code: 'COMPACTED' });
    const [lease] = await store.listLeases();
    const status = await store.leaseStatus(lease!);
    expect(status).toMatchObject({ grantedSeconds: 3000, keys: ['leased'] });
    expect(status.remainingSeconds).toBeGreaterThan(2000);
    expect((await hashKv(store)).hash).toBe(await hashOf(etcd));
    expect((await hashKv(store, 7)).hash).toBe(await hashOf(etcd, 7));
    await store.close();
    expect((await checkStore(join(directory, 'store'))).problems).toEqual([]);
    // A copy of the database file itself has no checksum and may have pages to spare.
    const bare = join(directory, 'bare.db');
    await writeFile(bare, (await readFile(file)).subarray(0, -32));
    await appendFile(bare, Buffer.alloc(8192));
    expect(await restoreSnapshot({ file: bare, directory: join(directory, 'again') })).toEqual(restored);
  });

  it('saves what etcdctl accepts and a real etcd serves', async () => {
    const store = await openStore('store');
    const lease = await store.grantLease({ ttlSeconds: 3000 });
    await Promise.all(
      Array.from({ length: 1500 }, (_, i) => store.put({ key: `key/${i % 700}`, value: Buffer.from(`value ${i}`) })),
    );
    await store.put({ key: 'large', value: Buffer.alloc(900_000, 7) });
    await store.put({ key: 'leased', value: Buffer.from('1'), lease: lease.id });
    await store.deleteRange({ key: 'key/5', rangeEnd: 'key/6' });
    await store.compact(700);
    await store.put({ key: 'empty', value: Buffer.alloc(0) });
    const file = join(directory, 'our.snapshot');
    await saveSnapshot(store, file);

    const told = JSON.parse(await etcdctl('snapshot', 'status', file, '-w', 'json')) as Record<string, number>;
    const { hash, revision, totalKeys: totalKey, totalBytes: totalSize } = await snapshotStatus(file);
    expect(told).toEqual({ hash, revision, totalKey, totalSize });
    expect(revision).toBe(store.revision());

    const peer = await freePeerUrl();
    const data = join(directory, 'etcd');
    const cluster = [
      '--name',
      'default',
      '--initial-cluster',
      `default=${peer}`,
      '--initial-advertise-peer-urls',
      peer,
    ];
    await etcdctl('snapshot', 'restore', file, '--data-dir', data, ...cluster);
    const etcd = await startEtcd('etcd', peer);
    expect(await everythingIn(etcd)).toEqual(await everythingOf(store));
    expect(await everythingIn(etcd, '--rev', '1000')).toEqual(await everythingOf(store, 1000));
    await expect(etcd.ctl('get', 'a', '--rev', '699')).rejects.toThrow('compacted');
    const id = lease.id.toString(16);
    expect(await etcd.ctl('lease', 'timetolive', '--keys', id)).toContain('keys([leased])');
    expect(await hashOf(etcd)).toBe((await hashKv(store)).hash);
    expect(await hashOf(etcd, 1200)).toBe((await hashKv(store, 1200)).hash);
    // And back again.
    await restoreSnapshot({ file, directory: join(directory, 'back') });
    const back = await openStore('back');
    expect(await everythingOf(back)).toEqual(await everythingOf(store));
    expect((await hashKv(back)).hash).toBe((await hashKv(store)).hash);
  });
});

describe('a damaged snapshot', () => {
  async function savedSnapshot(): Promise<{ file: string; size: number }> {
    const store = await openStore('store');
    const puts = Array.from({ length: 300 }, (_, i) => store.put({ key: `k${i}`, value: Buffer.alloc(100, i) }));
    await Promise.all(puts);
    const file = join(directory, 'snapshot');
    await saveSnapshot(store, file);
    return { file, size: (await stat(file)).size };
  }

  it('is refused when truncated anywhere, with or without its checksum, before anything is made', async () => {
    const { file, size } = await savedSnapshot();
    const target = join(directory, 'target');
    for (const length of [size - 1, size - 32 - 4096, size - 4096, 16384, 8192, 4096, 100, 0]) {
      await truncate(file, length);
      const restoring = restoreSnapshot({ file, directory: target });
      await expect(restoring).rejects.toMatchObject({ code: 'SNAPSHOT_CORRUPT', details: { file } });
      await expect(stat(target)).rejects.toMatchObject({ code: 'ENOENT' });
    }
  });

  it('is refused when bits flipped, and never crashes without its checksum', async () => {
    const { file, size } = await savedSnapshot();
    const sound = await readFile(file);
    for (let round = 0; round < 200; round++) {
      const damaged = Buffer.from(sound);
      const at = Math.floor((size * (round + Math.random())) / 200);
      damaged[at]! ^= 1 << (round % 8);
      await writeFile(file, damaged);
      await expect(snapshotStatus(file)).rejects.toMatchObject({ code: 'SNAPSHOT_CORRUPT' });
      // Without the checksum a flipped value is not noticed, but the structure is still checked.
      await writeFile(file, damaged.subarray(0, -32));
      await snapshotStatus(file).catch((error: { code?: string }) => expect(error.code).toMatch(/^SNAPSHOT_/));
    }
  });

  it('does not restore over anything', async () => {
    const { file } = await savedSnapshot();
    const restoring = restoreSnapshot({ file, directory: join(directory, 'store') });
    await expect(restoring).rejects.toMatchObject({ code: 'DIRECTORY_NOT_EMPTY' });
  });
});
