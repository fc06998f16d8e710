import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Clock, silentLogger } from '../kit';
import { openLmdbStore, prefixEnd, type RangeRequest, type Store, StoreError, type StoreEvent } from './index';

const text = (value: string) => Buffer.from(value);
const code = (expected: string) => expect.objectContaining({ code: expected });

/** A clock that moves only when told. */
function handClock(start = 1_000_000): Clock & { advance(ms: number): void } {
  let now = start;
  const timers = new Set<{ at: number; callback(): void }>();
  return {
    now: () => now,
    after(ms, callback) {
      const timer = { at: now + ms, callback };
      timers.add(timer);
      return () => timers.delete(timer);
    },
    advance(ms) {
      now += ms;
      for (const timer of timers) {
        if (timer.at > now || !timers.delete(timer)) continue;
        timer.callback();
      }
    },
  };
}

let directory: string;
let store: Store;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'pilothouse-store-'));
  store = await openLmdbStore({ directory, logger: silentLogger });
});

afterEach(async () => {
  await store.close();
  await rm(directory, { recursive: true, force: true });
});

async function reopen(clock?: Clock): Promise<void> {
  await store.close();
  store = await openLmdbStore({ directory, logger: silentLogger, clock });
}

async function pairs(request: RangeRequest): Promise<string[]> {
  const { kvs } = await store.range(request);
  return kvs.map(({ key, value }) => `${key}=${value}`);
}

/** Collects the events of a watch as "put a@2=x" lines. */
function collect(request: Parameters<Store['watch']>[0]) {
  const lines: string[] = [];
  const events: StoreEvent[] = [];
  const calls: { revisions: number[]; revision: number }[] = [];
  let wake = () => {};
  let ended: Error | undefined;
  const watch = store.watch(request, {
    onEvents(told, revision) {
      events.push(...told);
      calls.push({ revisions: told.map(({ kv }) => kv.modRevision), revision });
      for (const { type, kv } of told) lines.push(`${type} ${kv.key}@${kv.modRevision}=${kv.value}`);
      wake();
    },
    onEnd(error) {
      ended = error ?? new Error('ended');
      wake();
    },
  });
  const until = async (condition: () => boolean) => {
    while (!condition()) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  };
  return { lines, events, calls, watch, until, ended: () => ended };
}

describe('puts and ranges', () => {
  it('starts at revision 1 and makes revision 2 with the first put', async () => {
    expect(store.revision()).toBe(1);
    expect(await store.put({ key: 'a', value: text('1') })).toEqual({ revision: 2 });
    expect(store.revision()).toBe(2);
    const { kvs } = await store.range({ key: 'a' });
    expect(kvs).toEqual([{ key: 'a', value: text('1'), createRevision: 2, modRevision: 2, version: 1, lease: 0n }]);
  });

  it('counts versions and starts again after a deletion', async () => {
    await store.put({ key: 'a', value: text('1') });
    const put = await store.put({ key: 'a', value: text('2'), prevKv: true });
    expect(put.prevKv).toMatchObject({ modRevision: 2, version: 1, value: text('1') });
    expect(await store.deleteRange({ key: 'a', prevKv: true })).toMatchObject({ revision: 4, deleted: 1 });
    expect(await store.deleteRange({ key: 'a' })).toEqual({ revision: 4, deleted: 0, prevKvs: [] });
    await store.put({ key: 'a', value: text('3') });
    const { kvs } = await store.range({ key: 'a' });
    expect(kvs[0]).toMatchObject({ createRevision: 5, modRevision: 5, version: 1 });
  });

  it.each<[string, RangeRequest, string[], number, boolean]>([
    ['one key', { key: 'b' }, ['b=5'], 1, false],
    ['a half-open range', { key: 'a', rangeEnd: 'c' }, ['a=1', 'b=5'], 2, false],
    ['everything from a key', { key: 'b', rangeEnd: '\0' }, ['b=5', 'c=3', 'd=4'], 3, false],
    ['an empty range', { key: 'c', rangeEnd: 'b' }, [], 0, false],
    ['a limit', { key: 'a', rangeEnd: '\0', limit: 2 }, ['a=1', 'b=5'], 4, true],
    ['a limit that fits', { key: 'a', rangeEnd: '\0', limit: 4 }, ['a=1', 'b=5', 'c=3', 'd=4'], 4, false],
    ['only keys', { key: 'a', rangeEnd: 'c', keysOnly: true }, ['a=', 'b='], 2, false],
    ['only the count', { key: 'a', rangeEnd: '\0', countOnly: true }, [], 4, false],
    ['history', { key: 'a', rangeEnd: '\0', revision: 3 }, ['a=1', 'b=2'], 2, false],
    [
      'order by mod revision',
      { key: 'a', rangeEnd: '\0', sort: { target: 'mod', order: 'descend' }, limit: 2 },
      ['b=5', 'd=4'],
      4,
      true,
    ],
    [
      'order by value',
      { key: 'a', rangeEnd: '\0', sort: { target: 'value', order: 'ascend' } },
      ['a=1', 'c=3', 'd=4', 'b=5'],
      4,
      false,
    ],
    [
      'a filter by revision',
      { key: 'a', rangeEnd: '\0', minModRevision: 4, maxModRevision: 5 },
      ['c=3', 'd=4'],
      4,
      false,
    ],
    ['a filter by creation', { key: 'a', rangeEnd: '\0', maxCreateRevision: 3 }, ['a=1', 'b=5'], 4, false],
  ])('reads %s', async (_title, request, expected, count, more) => {
    let n = 0;
    for (const key of ['a', 'b', 'c', 'd', 'b']) await store.put({ key, value: text(String(++n)) });
    expect(await pairs(request)).toEqual(expected);
    expect(await store.range(request)).toMatchObject({ count, more, revision: 6 });
    await reopen();
    expect(await pairs(request)).toEqual(expected);
  });

  it('refuses empty keys, future revisions and unknown leases', async () => {
    await expect(store.range({ key: '' })).rejects.toEqual(code('EMPTY_KEY'));
    await expect(store.put({ key: '', value: text('') })).rejects.toBeInstanceOf(StoreError);
    await expect(store.range({ key: 'a', revision: 2 })).rejects.toEqual(code('FUTURE_REVISION'));
    await expect(store.put({ key: 'a', value: text(''), lease: 7n })).rejects.toEqual(code('LEASE_NOT_FOUND'));
    await expect(store.put({ key: 'a', value: text(''), ignoreValue: true })).rejects.toEqual(code('KEY_NOT_FOUND'));
    expect(store.revision()).toBe(1);
  });

  it('keeps bytes of any value in keys and values', async () => {
    const key = String.fromCharCode(...Array.from({ length: 256 }, (_, i) => i));
    const value = Buffer.from(key, 'latin1');
    await store.put({ key, value });
    await store.put({ key: `${key}a`, value: Buffer.alloc(3_000_000, 7) });
    await reopen();
    const { kvs } = await store.range({ key, rangeEnd: prefixEnd(key) });
    expect(kvs.map((kv) => kv.key)).toEqual([key, `${key}a`]);
    expect(kvs[0]!.value.equals(value)).toBe(true);
    expect(kvs[1]!.value.length).toBe(3_000_000);
  });
});

describe('transactions', () => {
  it('writes one revision for all its operations and sees its own writes', async () => {
    const response = await store.txn({
      compare: [{ key: 'a', target: 'mod', operator: 'equal', operand: 0 }],
      success: [
        { type: 'put', request: { key: 'a', value: text('1') } },
        { type: 'put', request: { key: 'b', value: text('2') } },
        { type: 'range', request: { key: 'a', rangeEnd: 'z' } },
      ],
      failure: [],
    });
    expect(response).toMatchObject({ revision: 2, succeeded: true });
    expect(response.responses[2]).toMatchObject({ type: 'range', response: { count: 2, revision: 2 } });
    const second = await store.txn({
      compare: [{ key: 'a', target: 'mod', operator: 'equal', operand: 0 }],
      success: [],
      failure: [{ type: 'range', request: { key: 'a' } }],
    });
    expect(second).toMatchObject({ revision: 2, succeeded: false });
  });

  it('evaluates nested compares before anything is written', async () => {
    const nested = await store.txn({
      compare: [],
      success: [
        { type: 'put', request: { key: 'a', value: text('outer') } },
        {
          type: 'txn',
          request: {
            compare: [{ key: 'a', target: 'version', operator: 'equal', operand: 0 }],
            success: [{ type: 'put', request: { key: 'b', value: text('inner') } }],
            failure: [{ type: 'put', request: { key: 'c', value: text('late') } }],
          },
        },
      ],
      failure: [],
    });
    expect(nested.responses[1]).toMatchObject({ response: { succeeded: true, revision: 2 } });
    expect(await pairs({ key: 'a', rangeEnd: 'z' })).toEqual(['a=outer', 'b=inner']);
  });

  it('leaves nothing when one operation fails', async () => {
    await expect(
      store.txn({
        compare: [],
        success: [
          { type: 'put', request: { key: 'a', value: text('1') } },
          { type: 'put', request: { key: 'b', value: text('1'), lease: 9n } },
        ],
        failure: [],
      }),
    ).rejects.toEqual(code('LEASE_NOT_FOUND'));
    expect(store.revision()).toBe(1);
    expect(await pairs({ key: 'a', rangeEnd: 'z' })).toEqual([]);
  });

  it('lets exactly one of many concurrent compare-and-swaps win', async () => {
    const results = await Promise.all(
      Array.from({ length: 50 }, (_, i) =>
        store.txn({
          compare: [{ key: 'lock', target: 'create', operator: 'equal', operand: 0 }],
          success: [{ type: 'put', request: { key: 'lock', value: text(String(i)) } }],
          failure: [{ type: 'range', request: { key: 'lock' } }],
        }),
      ),
    );
    expect(results.filter(({ succeeded }) => succeeded)).toHaveLength(1);
    expect(store.revision()).toBe(2);
  });

  it('compares whole ranges, which must hold for every key', async () => {
    await store.put({ key: 'a1', value: text('x') });
    await store.put({ key: 'a2', value: text('x') });
    const compare = (operand: number) =>
      ({ key: 'a', rangeEnd: 'b', target: 'mod', operator: 'less', operand }) as const;
    expect(await store.txn({ compare: [compare(4)], success: [], failure: [] })).toMatchObject({ succeeded: true });
    expect(await store.txn({ compare: [compare(3)], success: [], failure: [] })).toMatchObject({ succeeded: false });
  });
});

describe('watches', () => {
  it('joins history and live events without gap or duplicate', async () => {
    await store.put({ key: 'k/1', value: text('a') });
    await store.put({ key: 'other', value: text('b') });
    const watched = collect({ key: 'k/', rangeEnd: 'k0', startRevision: 2 });
    await store.put({ key: 'k/1', value: text('c') });
    await store.deleteRange({ key: 'k/', rangeEnd: 'k0' });
    await watched.until(() => watched.lines.length >= 3);
    expect(watched.lines).toEqual(['put k/1@2=a', 'put k/1@4=c', 'delete k/1@5=']);
  });

  it('tells previous values, past and live', async () => {
    await store.put({ key: 'a', value: text('1') });
    await store.put({ key: 'a', value: text('2') });
    const watched = collect({ key: 'a', startRevision: 2, prevKv: true });
    await watched.until(() => watched.lines.length >= 2);
    await store.put({ key: 'a', value: text('3') });
    await store.deleteRange({ key: 'a' });
    expect(watched.events.map(({ prevKv }) => prevKv?.value.toString())).toEqual([undefined, '1', '2', '3']);
  });

  it('tells the watch before it resolves the write', async () => {
    const watched = collect({ key: 'a' });
    await store.put({ key: 'a', value: text('1') });
    expect(watched.lines).toEqual(['put a@2=1']);
  });

  it('waits for a revision of the future', async () => {
    const watched = collect({ key: 'a', startRevision: 4 });
    for (const value of ['1', '2', '3']) await store.put({ key: 'a', value: text(value) });
    expect(watched.lines).toEqual(['put a@4=3']);
  });

  it('never splits a revision, however large', async () => {
    await Promise.all(Array.from({ length: 1500 }, (_, i) => store.put({ key: `k${i}`, value: text('') })));
    await store.deleteRange({ key: 'k', rangeEnd: 'l' });
    const watched = collect({ key: 'k', rangeEnd: 'l', startRevision: 2 });
    await watched.until(() => watched.lines.length === 3000);
    expect(watched.calls.length).toBeGreaterThan(2);
    expect(new Set(watched.events.map(({ kv }) => kv.modRevision)).size).toBe(1501);
    expect(watched.calls.filter(({ revisions }) => revisions.includes(1502))).toHaveLength(1);
  });

  it('ends with COMPACTED when the start is gone and with STORE_CLOSED at the end', async () => {
    for (const value of ['1', '2', '3']) await store.put({ key: 'a', value: text(value) });
    await store.compact(3);
    const gone = collect({ key: 'a', startRevision: 2 });
    await gone.until(() => gone.ended() !== undefined);
    expect(gone.ended()).toEqual(code('COMPACTED'));
    const kept = collect({ key: 'a', startRevision: 3 });
    await kept.until(() => kept.lines.length === 2);
    expect(kept.lines).toEqual(['put a@3=2', 'put a@4=3']);
    await store.close();
    expect(kept.ended()).toEqual(code('STORE_CLOSED'));
    await expect(store.put({ key: 'a', value: text('') })).rejects.toEqual(code('STORE_CLOSED'));
  });

  it('says nothing after it was cancelled', async () => {
    const live = collect({ key: 'a' });
    await store.put({ key: 'a', value: text('1') });
    const past = collect({ key: 'a', startRevision: 2 });
    live.watch.cancel();
    past.watch.cancel();
    await store.put({ key: 'a', value: text('2') });
    expect([live.lines, past.lines]).toEqual([['put a@2=1'], []]);
  });
});

describe('compaction', () => {
  it('keeps what a reader at the revision or later needs', async () => {
    for (const key of ['a', 'b', 'a']) await store.put({ key, value: text('x') });
    await store.deleteRange({ key: 'b' });
    await store.put({ key: 'a', value: text('y') });
    await store.compact(5);
    for (const attempt of ['as compacted', 'reopened']) {
      await expect(store.range({ key: 'a', revision: 4 }), attempt).rejects.toEqual(code('COMPACTED'));
      expect(await pairs({ key: 'a', rangeEnd: 'z', revision: 5 })).toEqual(['a=x']);
      expect(await pairs({ key: 'a', rangeEnd: 'z' })).toEqual(['a=y']);
      expect(store.compactRevision()).toBe(5);
      await reopen();
    }
    await expect(store.compact(5)).rejects.toEqual(code('COMPACTED'));
    await expect(store.compact(7)).rejects.toEqual(code('FUTURE_REVISION'));
  });

  it('keeps the revision when everything is deleted and compacted', async () => {
    await store.put({ key: 'a', value: text('x') });
    await store.deleteRange({ key: 'a' });
    await store.compact(3);
    await reopen();
    expect(store.revision()).toBe(3);
    expect(await store.put({ key: 'a', value: text('z') })).toEqual({ revision: 4 });
  });
});

describe('leases', () => {
  it('deletes the keys in one revision when it runs out', async () => {
    const clock = handClock();
    await reopen(clock);
    const { id } = await store.grantLease({ ttlSeconds: 10 });
    await store.put({ key: 'a', value: text('1'), lease: id });
    await store.put({ key: 'b', value: text('1'), lease: id });
    await store.put({ key: 'c', value: text('1'), lease: id });
    await store.put({ key: 'c', value: text('detached') });
    const watched = collect({ key: 'a', rangeEnd: 'z' });
    clock.advance(9_000);
    expect(await store.leaseStatus(id)).toEqual({ id, grantedSeconds: 10, remainingSeconds: 1, keys: ['a', 'b'] });
    clock.advance(2_000);
    await watched.until(() => watched.lines.length === 2);
    expect(watched.lines).toEqual(['delete a@6=', 'delete b@6=']);
    expect(await store.listLeases()).toEqual([]);
    await expect(store.keepAliveLease(id)).rejects.toEqual(code('LEASE_NOT_FOUND'));
  });

  it('is kept alive, and keeps its remaining time and keys over a restart', async () => {
    const clock = handClock();
    await reopen(clock);
    await store.grantLease({ id: 5n, ttlSeconds: 60 });
    await expect(store.grantLease({ id: 5n, ttlSeconds: 60 })).rejects.toEqual(code('LEASE_EXISTS'));
    await store.put({ key: 'a', value: text('1'), lease: 5n });
    clock.advance(50_000);
    expect(await store.keepAliveLease(5n)).toEqual({ ttlSeconds: 60 });
    clock.advance(20_000);
    await reopen(clock);
    expect(await store.leaseStatus(5n)).toEqual({ id: 5n, grantedSeconds: 60, remainingSeconds: 40, keys: ['a'] });
    const watched = collect({ key: 'a' });
    clock.advance(41_000);
    await watched.until(() => watched.lines.length === 1);
    expect(watched.lines).toEqual(['delete a@3=']);
  });

  it('deletes its keys when revoked', async () => {
    const { id } = await store.grantLease({ ttlSeconds: 100 });
    await store.put({ key: 'a', value: text('1'), lease: id });
    await store.put({ key: 'a', value: text(''), ignoreValue: true, ignoreLease: true });
    expect(await store.revokeLease(id)).toEqual({ revision: 4 });
    expect(await pairs({ key: 'a' })).toEqual([]);
    await expect(store.revokeLease(id)).rejects.toEqual(code('LEASE_NOT_FOUND'));
  });
});
