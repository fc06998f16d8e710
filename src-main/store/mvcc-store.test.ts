import { describe, expect, it } from 'vitest';
import { silentLogger } from '../kit';
import { MvccStore } from './mvcc-store';
import { StoreError } from './store-error';
import { MemoryDisk } from './testing/memory-disk';

const text = (value: string) => Buffer.from(value);
const openOn = (disk: MemoryDisk) => MvccStore.open({ disk, logger: silentLogger });
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

async function setUp() {
  const disk = new MemoryDisk();
  const store = await openOn(disk);
  /** Holds the next commit until called. */
  const hold = () => {
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    disk.gate = () => held;
    return () => {
      disk.gate = async () => {};
      release();
    };
  };
  return { disk, store, hold };
}

describe('group commit', () => {
  it('shares one commit among writes that came together, one revision each', async () => {
    const { disk, store } = await setUp();
    const puts = await Promise.all(['a', 'b', 'c'].map((key) => store.put({ key, value: text('') })));
    expect(puts.map(({ revision }) => revision)).toEqual([2, 3, 4]);
    expect(disk.commits).toEqual([3]);
  });

  it('shows nothing to readers and watchers before it is durable', async () => {
    const { store, hold } = await setUp();
    await store.put({ key: 'a', value: text('old') });
    const told: number[] = [];
    store.watch({ key: 'a', rangeEnd: '\0' }, { onEvents: (_, revision) => told.push(revision), onEnd() {} });
    const release = hold();
    let settled = 0;
    const count = () => settled++;
    const writes = [
      store.put({ key: 'a', value: text('new') }).then(count),
      store.put({ key: 'b', value: text('new') }).then(count),
      // It fails only because of a write that is not durable yet, so it must wait as well.
      store
        .txn({
          compare: [{ key: 'b', target: 'version', operator: 'equal', operand: 1 }],
          success: [{ type: 'put', request: { key: 'c', value: text(''), lease: 1n } }],
          failure: [],
        })
        .catch(count),
    ];
    for (let i = 0; i < 5; i++) await turn();
    expect(settled).toBe(0);
    expect(told).toEqual([]);
    expect(store.revision()).toBe(2);
    expect((await store.range({ key: 'a', rangeEnd: '\0' })).kvs.map(({ value }) => value.toString())).toEqual(['old']);
    release();
    await Promise.all(writes);
    expect(told).toEqual([4]);
    expect((await store.range({ key: 'a', rangeEnd: '\0' })).kvs).toHaveLength(2);
  });

  it('takes everything back when the disk refuses, and goes on', async () => {
    const { disk, store } = await setUp();
    const { id } = await store.grantLease({ ttlSeconds: 100 });
    await store.put({ key: 'a', value: text('1'), lease: id });
    disk.gate = async () => {
      throw new StoreError('DISK_FAILURE');
    };
    const results = await Promise.allSettled([
      store.put({ key: 'a', value: text('2') }),
      store.put({ key: 'b', value: text('2'), lease: id }),
      store.grantLease({ id: 9n, ttlSeconds: 5 }),
      store.revokeLease(id),
      store.deleteRange({ key: 'a' }),
    ]);
    expect(results.map(({ status }) => status)).toEqual(Array(5).fill('rejected'));
    disk.gate = async () => {};
    expect(store.revision()).toBe(2);
    expect(await store.leaseStatus(id)).toMatchObject({ keys: ['a'] });
    expect(await store.listLeases()).toEqual([id]);
    const { kvs } = await store.range({ key: 'a', rangeEnd: '\0' });
    expect(kvs).toMatchObject([{ key: 'a', value: text('1'), modRevision: 2, version: 1, lease: id }]);
    expect(await store.put({ key: 'b', value: text('3') })).toEqual({ revision: 3 });
  });

  it('settles what it accepted before it closes', async () => {
    const { store, hold } = await setUp();
    const release = hold();
    const put = store.put({ key: 'a', value: text('1') });
    const closed = store.close();
    await expect(store.put({ key: 'b', value: text('1') })).rejects.toMatchObject({ code: 'STORE_CLOSED' });
    await expect(store.range({ key: 'b' })).rejects.toMatchObject({ code: 'STORE_CLOSED' });
    release();
    await expect(put).resolves.toEqual({ revision: 2 });
    await closed;
  });
});

describe('watches', () => {
  it('let commits pass while one catches up over a long history', async () => {
    const { store } = await setUp();
    for (let i = 0; i < 5; i++) {
      await Promise.all(Array.from({ length: 1000 }, () => store.put({ key: 'a', value: text('') })));
    }
    const revisions: number[] = [];
    store.watch(
      { key: 'a', startRevision: 2 },
      { onEvents: (events) => void revisions.push(...events.map(({ kv }) => kv.modRevision)), onEnd() {} },
    );
    await store.put({ key: 'a', value: text('') });
    expect(revisions.length).toBeLessThan(5000);
    while (revisions.length < 5001) await turn();
    expect(revisions).toEqual(Array.from({ length: 5001 }, (_, i) => i + 2));
  });

  it('survive a listener that throws', async () => {
    const { store } = await setUp();
    let calls = 0;
    const listener = {
      onEvents() {
        calls++;
        throw new Error('a listener of a test');
      },
      onEnd() {},
    };
    store.watch({ key: 'a' }, listener);
    store.watch({ key: 'a' }, listener);
    await store.put({ key: 'a', value: text('') });
    await store.put({ key: 'a', value: text('') });
    expect(calls).toBe(4);
  });

  it('cancelled by an earlier listener of the same commit say nothing', async () => {
    const { store } = await setUp();
    let spoke = false;
    let cancelSecond = () => {};
    store.watch({ key: 'a' }, { onEvents: () => cancelSecond(), onEnd() {} });
    const second = store.watch({ key: 'a' }, { onEvents: () => void (spoke = true), onEnd() {} });
    cancelSecond = () => second.cancel();
    await store.put({ key: 'a', value: text('') });
    expect(spoke).toBe(false);
  });

  it('that catch up end when compaction overtakes them', async () => {
    const { store } = await setUp();
    await Promise.all(Array.from({ length: 1000 }, () => store.put({ key: 'a', value: text('') })));
    let ended: Error | undefined;
    let events = 0;
    store.watch(
      { key: 'a', startRevision: 2 },
      {
        onEvents: (told) => void (events += told.length),
        onEnd: (error) => void (ended = error),
      },
    );
    await store.compact(1000);
    await turn();
    expect(ended).toMatchObject({ code: 'COMPACTED' });
    expect(events).toBeLessThan(1000);
  });
});

describe('an interrupted compaction', () => {
  it.each([1, 2, 3, 4])('is finished at the next start when step %i failed', async (failing) => {
    const { disk, store } = await setUp();
    for (let i = 0; i < 3; i++) {
      await Promise.all(Array.from({ length: 400 }, (_, k) => store.put({ key: `k${k}`, value: text(`${i}`) })));
    }
    await store.deleteRange({ key: 'k1', rangeEnd: 'k2' });
    const revision = store.revision();
    await store.put({ key: 'last', value: text('') });
    let steps = 0;
    disk.gate = async () => {
      if (++steps === failing) throw new StoreError('DISK_FAILURE');
    };
    await expect(store.compact(revision)).rejects.toMatchObject({ code: 'DISK_FAILURE' });
    disk.gate = async () => {};
    const before = await store.range({ key: 'k', rangeEnd: 'z' });
    await store.close();
    const reopened = await openOn(disk);
    const after = await reopened.range({ key: 'k', rangeEnd: 'z' });
    expect(after).toEqual(before);
    // Step 1 records the compaction: before that nothing was promised.
    expect(reopened.compactRevision()).toBe(failing === 1 ? 0 : revision);
    // What is left: the newest of each key, and the tombstones of the compacted revision itself.
    if (failing > 1) expect(disk.recordCount).toBe(401);
    await reopened.close();
  });
});
