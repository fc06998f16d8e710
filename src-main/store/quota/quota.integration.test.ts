import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Clock, silentLogger } from '../../kit';
import { type LocalStore, openLmdbStore, type StoreEvent } from '../index';
import { checkStore } from '../snapshot';
import { createQuota, etcdAlarms, startAutoCompaction } from './index';

let directory: string;
let store: LocalStore;
const value = Buffer.alloc(4000, 1);

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'pilothouse-quota-'));
  store = await openLmdbStore({ directory, logger: silentLogger });
});

afterEach(async () => {
  await store.close();
  await rm(directory, { recursive: true, force: true });
});

async function fileBytes(): Promise<number> {
  return (await stat(join(directory, 'data.mdb'))).size;
}

async function rewrite(times: number): Promise<void> {
  for (let i = 0; i < times; i += 20) {
    await Promise.all(Array.from({ length: 20 }, (_, j) => store.put({ key: `lease/${j}`, value })));
  }
}

describe('a quota', () => {
  it('refuses what grows the store once it is full, until there is room and the alarm is disarmed', async () => {
    const quota = createQuota({ store, bytes: 3_000_000, logger: silentLogger, memberId: 7n });
    await expect(rewrite(5000)).rejects.toMatchObject({
      code: 'NO_SPACE',
      message: 'etcdserver: mvcc: database space exceeded',
    });
    expect(await fileBytes()).toBeLessThan(4_500_000);
    expect(quota.alarms()).toEqual([{ type: 'NOSPACE', memberId: 7n }]);
    const put = { type: 'put' as const, request: { key: 'a', value } };
    await expect(store.txn({ compare: [], success: [put], failure: [] })).rejects.toMatchObject({ code: 'NO_SPACE' });
    await expect(store.grantLease({ ttlSeconds: 60 })).rejects.toMatchObject({ code: 'NO_SPACE' });
    // What makes room is not refused, nor is reading.
    await store.deleteRange({ key: 'lease/0' });
    await store.compact(store.revision());
    expect((await store.range({ key: 'lease/1' })).count).toBe(1);

    // The alarm outlives a restart.
    await store.close();
    store = await openLmdbStore({ directory, logger: silentLogger });
    const again = createQuota({ store, bytes: 3_000_000, logger: silentLogger, memberId: 7n });
    await expect(store.put({ key: 'a', value })).rejects.toMatchObject({ code: 'NO_SPACE' });
    await store.defragment();
    expect(again.size().total).toBeLessThan(500_000);
    expect(await again.disarm({ type: 'NOSPACE', memberId: 0n })).toHaveLength(1);
    await store.put({ key: 'a', value });
    expect(again.alarms()).toEqual([]);
  });

  it('raises the alarm again when it was disarmed without making room', async () => {
    const quota = createQuota({ store, bytes: 500_000, logger: silentLogger });
    await expect(rewrite(1000)).rejects.toMatchObject({ code: 'NO_SPACE' });
    await quota.disarm({ type: 'NONE', memberId: 0n });
    await expect(store.put({ key: 'a', value })).rejects.toMatchObject({ code: 'NO_SPACE' });
    expect(quota.alarms()).toHaveLength(1);
  });
});

it('shows and changes its alarms the way the etcd endpoint asks', async () => {
  const alarms = etcdAlarms(createQuota({ store, bytes: 0, logger: silentLogger }));
  const corrupt = { type: 2, memberId: 9n };
  expect(await alarms.activate(corrupt)).toEqual([corrupt]);
  expect(await alarms.activate({ type: 9, memberId: 9n })).toEqual([]);
  expect(alarms.list()).toEqual([corrupt]);
  await store.put({ key: 'a', value });
  expect(await alarms.deactivate({ type: 1, memberId: 9n })).toEqual([]);
  expect(await alarms.deactivate(corrupt)).toEqual([corrupt]);
  expect(alarms.list()).toEqual([]);
});

describe('defragmenting', () => {
  it('gives space back while writers, readers and watchers go on', async () => {
    await rewrite(2000);
    const lease = await store.grantLease({ ttlSeconds: 600 });
    await store.put({ key: 'leased', value, lease: lease.id });
    await store.compact(store.revision());
    const before = await fileBytes();
    const seen: StoreEvent[] = [];
    const watch = store.watch(
      { key: 'during/', rangeEnd: 'during0' },
      {
        onEvents: (events) => void seen.push(...events),
        onEnd: () => undefined,
      },
    );
    const view = store.openView();
    const writers = { stopped: false };
    let written = 0;
    const writer = async () => {
      while (!writers.stopped) {
        await store.put({ key: `during/${written++}`, value: Buffer.from('x') });
        expect((await store.range({ key: 'lease/1', revision: store.revision() })).kvs[0]?.value).toEqual(value);
      }
    };
    const writing = writer();
    try {
      await store.defragment();
      await Promise.all([store.defragment(), store.defragment()]);
    } finally {
      writers.stopped = true;
      await writing;
    }
    watch.cancel();
    expect(before).toBeGreaterThan(4_000_000);
    expect(await fileBytes()).toBeLessThan(1_500_000);
    // A view from before still shows what it showed.
    expect([...view.records()].some(({ key }) => key.startsWith('during/'))).toBe(false);
    view.close();
    expect(seen.map(({ kv }) => kv.key)).toEqual(Array.from({ length: written }, (_, i) => `during/${i}`));
    await expect(openLmdbStore({ directory, logger: silentLogger })).rejects.toMatchObject({ code: 'STORE_LOCKED' });
    const revision = store.revision();
    await store.close();
    expect((await readdir(directory)).sort()).toEqual(['data.mdb', 'lock.mdb']);
    expect(await checkStore(directory)).toMatchObject({ problems: [], revision, leases: 1, keys: 21 + written });
    store = await openLmdbStore({ directory, logger: silentLogger });
    expect((await store.leaseStatus(lease.id)).keys).toEqual(['leased']);
    await store.put({ key: 'after', value });
  });

  it('that was cut short leaves nothing behind', async () => {
    await store.put({ key: 'a', value });
    await store.close();
    await mkdir(join(directory, 'defragment-cut'));
    await writeFile(join(directory, 'defragment-cut', 'data.mdb'), 'half');
    store = await openLmdbStore({ directory, logger: silentLogger });
    expect((await store.range({ key: 'a' })).count).toBe(1);
    expect(await readdir(directory)).not.toContain('defragment-cut');
  });
});

it('a store that only rewrites its keys stops growing under automatic compaction', async () => {
  let due: (() => void) | undefined;
  let now = 0;
  const clock: Clock = {
    now: () => now,
    after: (_ms, callback) => {
      due = callback;
      return () => (due = undefined);
    },
  };
  const stop = startAutoCompaction({ mode: 'periodic', keepMs: 1000 }, { store, clock, logger: silentLogger });
  const sizes: number[] = [];
  for (let round = 0; round < 60; round++) {
    await rewrite(100);
    const callback = due!;
    due = undefined;
    now += 100;
    callback();
    await vi.waitUntil(() => due !== undefined, { timeout: 30_000, interval: 2 });
    sizes.push(await fileBytes());
  }
  stop();
  expect(store.compactRevision()).toBeGreaterThan(4000);
  // A span of history is 1,000 puts: once that and the work of compacting have their pages, no more are taken.
  const settled = Math.max(...sizes.slice(20, 35));
  expect(Math.max(...sizes.slice(35))).toBeLessThanOrEqual(settled * 1.1);
  expect(settled).toBeLessThan(3 * 2000 * 4096);
});
