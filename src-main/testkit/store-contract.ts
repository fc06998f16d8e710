// What every Store must do, whatever is behind it. Each test keeps to keys of its own and counts revisions from where it
// starts, so that the suite also runs on an etcd that has a past.

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { prefixEnd, type RangeRequest, type Store, StoreError, type StoreEvent, type WatchRequest } from '../store';

export interface StoreUnderTest {
  store: Store;
  /** Ends the store and whatever was started for it. */
  close(): Promise<void>;
}

const bytes = (text: string) => Buffer.from(text);
const code = (expected: string) => expect.objectContaining({ code: expected });
const waitOptions = { timeout: 20_000, interval: 20 };

/** Registers the suite. The store is opened once; nobody else may write to it meanwhile. */
export function describeStoreContract(title: string, open: () => Promise<StoreUnderTest>): void {
  describe(`${title} keeps the store's contract`, () => {
    let subject: StoreUnderTest;
    let store: Store;
    let prefix = '';
    let base = 0;
    let tests = 0;

    beforeAll(async () => {
      subject = await open();
      store = subject.store;
    });
    afterAll(() => subject?.close());
    beforeEach(async () => {
      prefix = `contract/${++tests}/`;
      base = (await store.range({ key: prefix })).revision;
    });

    const key = (name: string) => prefix + name;
    const put = (name: string, value: string) => store.put({ key: key(name), value: bytes(value) });
    const all = () => ({ key: prefix, rangeEnd: prefixEnd(prefix) });
    const pairs = async (request: Partial<RangeRequest> = {}) => {
      const { kvs } = await store.range({ ...all(), ...request });
      return kvs.map((kv) => `${kv.key.slice(prefix.length)}=${kv.value}`);
    };
    const collect = (request: Partial<WatchRequest> = {}) =>
      collectEvents(store, { ...all(), ...request }, prefix, base);

    describe('puts and ranges', () => {
      it('gives each write the next revision', async () => {
        expect(await put('a', '1')).toEqual({ revision: base + 1 });
        expect(store.revision()).toBe(base + 1);
        const { kvs, revision } = await store.range({ key: key('a') });
        const revisions = { createRevision: base + 1, modRevision: base + 1, version: 1 };
        expect(kvs).toEqual([{ key: key('a'), value: bytes('1'), lease: 0n, ...revisions }]);
        expect(revision).toBe(base + 1);
        if (store.syncRevision) expect(await store.syncRevision()).toBe(base + 1);
      });

      it('counts versions and starts again after a deletion', async () => {
        await put('a', '1');
        const second = await store.put({ key: key('a'), value: bytes('2'), prevKv: true });
        expect(second.prevKv).toMatchObject({ modRevision: base + 1, version: 1, value: bytes('1') });
        expect(await store.deleteRange({ key: key('a'), prevKv: true })).toMatchObject({
          revision: base + 3,
          deleted: 1,
          prevKvs: [{ version: 2, value: bytes('2') }],
        });
        expect(await store.deleteRange({ key: key('a') })).toEqual({ revision: base + 3, deleted: 0, prevKvs: [] });
        await put('a', '3');
        const { kvs } = await store.range({ key: key('a') });
        expect(kvs[0]).toMatchObject({ createRevision: base + 4, modRevision: base + 4, version: 1 });
      });

      const rangeCases: [string, Partial<RangeRequest>, string[], number, boolean][] = [
        ['a limit', { limit: 2 }, ['a=1', 'b=5'], 4, true],
        ['a limit that fits', { limit: 4 }, ['a=1', 'b=5', 'c=3', 'd=4'], 4, false],
        ['only keys', { keysOnly: true }, ['a=', 'b=', 'c=', 'd='], 4, false],
        ['only the count', { countOnly: true }, [], 4, false],
        ['order by revision', { sort: { target: 'mod', order: 'descend' }, limit: 2 }, ['b=5', 'd=4'], 4, true],
        ['order by value', { sort: { target: 'value', order: 'ascend' } }, ['a=1', 'c=3', 'd=4', 'b=5'], 4, false],
        ['reverse order of keys', { sort: { target: 'key', order: 'descend' }, limit: 1 }, ['d=4'], 4, true],
      ];
      it.each(rangeCases)('reads %s', async (_title, request, expected, count, more) => {
        let n = 0;
        for (const name of ['a', 'b', 'c', 'd', 'b']) await put(name, String(++n));
        expect(await pairs(request)).toEqual(expected);
        expect(await store.range({ ...all(), ...request })).toMatchObject({ count, more, revision: base + 5 });
      });

      it('reads history and filters by revision', async () => {
        for (const name of ['a', 'b', 'a']) await put(name, name);
        expect(await pairs({ revision: base + 1 })).toEqual(['a=a']);
        expect(await pairs({ minModRevision: base + 3 })).toEqual(['a=a']);
        expect(await pairs({ maxCreateRevision: base + 1 })).toEqual(['a=a']);
        expect(await pairs({ minCreateRevision: base + 2, maxModRevision: base + 2 })).toEqual(['b=b']);
      });

      it('means one key when there is no range end', async () => {
        for (const name of ['a', 'b', 'c']) await put(name, name);
        expect(await store.range({ key: key('b') })).toMatchObject({ count: 1, kvs: [{ key: key('b') }] });
        const watched = collect({ key: key('b'), rangeEnd: undefined, startRevision: base + 1 });
        expect(await store.deleteRange({ key: key('b') })).toMatchObject({ deleted: 1 });
        await expect.poll(() => watched.lines, waitOptions).toEqual(['put b@2=b', 'delete b@4=']);
        watched.cancel();
        expect(await pairs()).toEqual(['a=a', 'c=c']);
        expect(await store.range({ key: key('b'), rangeEnd: '\0', limit: 1 })).toMatchObject({
          kvs: [{ value: bytes('c') }],
        });
      });

      it('keeps bytes of any value in keys and values', async () => {
        const every = String.fromCharCode(...Array.from({ length: 256 }, (_, i) => i));
        await put(every, '');
        await store.put({ key: key(every), value: Buffer.from(every, 'latin1') });
        const { kvs } = await store.range(all());
        expect(kvs.map((kv) => kv.key)).toEqual([key(every)]);
        expect(kvs[0]!.value.equals(Buffer.from(every, 'latin1'))).toBe(true);
      });

      it("refuses with the contract's codes, and writes nothing", async () => {
        const value = bytes('');
        await expect(store.range({ key: '' })).rejects.toEqual(code('EMPTY_KEY'));
        await expect(store.put({ key: '', value })).rejects.toBeInstanceOf(StoreError);
        await expect(store.range({ key: key('a'), revision: base + 9 })).rejects.toEqual(code('FUTURE_REVISION'));
        await expect(store.put({ key: key('a'), value, lease: 77n })).rejects.toEqual(code('LEASE_NOT_FOUND'));
        await expect(store.put({ key: key('a'), value, ignoreValue: true })).rejects.toEqual(code('KEY_NOT_FOUND'));
        const twice = { type: 'put' as const, request: { key: key('a'), value } };
        await expect(store.txn({ compare: [], success: [twice, twice], failure: [] })).rejects.toEqual(
          code('DUPLICATE_KEY'),
        );
        const many = Array.from({ length: 129 }, (_, i) => ({ type: 'range' as const, request: { key: key(`${i}`) } }));
        await expect(store.txn({ compare: [], success: many, failure: [] })).rejects.toEqual(
          code('TOO_MANY_OPERATIONS'),
        );
        expect((await store.range({ key: prefix })).revision).toBe(base);
      });
    });

    describe('transactions', () => {
      it('write one revision and see their own writes', async () => {
        const response = await store.txn({
          compare: [{ key: key('a'), target: 'mod', operator: 'equal', operand: 0 }],
          success: [
            { type: 'put', request: { key: key('a'), value: bytes('1') } },
            { type: 'put', request: { key: key('b'), value: bytes('2'), prevKv: true } },
            { type: 'range', request: all() },
            { type: 'delete', request: { key: key('c'), prevKv: true } },
          ],
          failure: [],
        });
        expect(response).toMatchObject({ revision: base + 1, succeeded: true });
        expect(response.responses.map(({ type }) => type)).toEqual(['put', 'put', 'range', 'delete']);
        expect(response.responses[2]).toMatchObject({ response: { count: 2, more: false } });
        expect(response.responses[3]).toEqual({ type: 'delete', response: { deleted: 0, prevKvs: [] } });
      });

      it('nest', async () => {
        const compare = [{ key: key('a'), target: 'version' as const, operator: 'equal' as const, operand: 0 }];
        const nested = (name: string) => ({ type: 'put' as const, request: { key: key(name), value: bytes(name) } });
        const inner = { compare, success: [nested('b')], failure: [nested('c')] };
        const response = await store.txn({
          compare: [],
          success: [nested('a'), { type: 'txn', request: inner }],
          failure: [],
        });
        expect(response.responses[1]).toMatchObject({ type: 'txn', response: { succeeded: true } });
        expect(await pairs()).toEqual(['a=a', 'b=b']);
      });

      it('compare versions, revisions, values, leases and ranges', async () => {
        const { id } = await store.grantLease({ ttlSeconds: 600 });
        await store.put({ key: key('a'), value: bytes('m'), lease: id });
        await put('b', 'n');
        const mod = base + 1;
        const one = { key: key('a') };
        const range = all();
        const holds = async (compare: Parameters<Store['txn']>[0]['compare'][number]) =>
          (await store.txn({ compare: [compare], success: [], failure: [] })).succeeded;
        expect(await holds({ ...one, target: 'version', operator: 'equal', operand: 1 })).toBe(true);
        expect(await holds({ ...one, target: 'version', operator: 'not-equal', operand: 1 })).toBe(false);
        expect(await holds({ ...one, target: 'create', operator: 'greater', operand: mod })).toBe(false);
        expect(await holds({ ...one, target: 'mod', operator: 'equal', operand: mod })).toBe(true);
        expect(await holds({ ...one, target: 'value', operator: 'less', operand: bytes('n') })).toBe(true);
        expect(await holds({ ...one, target: 'value', operator: 'equal', operand: bytes('') })).toBe(false);
        expect(await holds({ ...one, target: 'lease', operator: 'equal', operand: id })).toBe(true);
        expect(await holds({ ...range, target: 'mod', operator: 'less', operand: mod + 2 })).toBe(true);
        expect(await holds({ ...range, target: 'mod', operator: 'less', operand: mod + 1 })).toBe(false);
        await store.revokeLease(id);
      });

      it('let exactly one of many compare-and-swaps win', async () => {
        const lock = key('lock');
        const attempt = (n: number) =>
          store.txn({
            compare: [{ key: lock, target: 'create', operator: 'equal', operand: 0 }],
            success: [{ type: 'put', request: { key: lock, value: bytes(String(n)) } }],
            failure: [{ type: 'range', request: { key: lock } }],
          });
        const results = await Promise.all(Array.from({ length: 30 }, (_, n) => attempt(n)));
        expect(results.filter(({ succeeded }) => succeeded)).toHaveLength(1);
        expect((await store.range({ key: lock })).revision).toBe(base + 1);
      });
    });

    describe('watches', () => {
      it('join history and what comes, without gap or duplicate', async () => {
        await put('a', '1');
        const watched = collect({ startRevision: base + 1, prevKv: true });
        await put('a', '2');
        await store.put({ key: `elsewhere/${base}`, value: bytes('') });
        await store.deleteRange(all());
        await expect.poll(() => watched.lines, waitOptions).toEqual(['put a@1=1', 'put a@2=2', 'delete a@4=']);
        expect(watched.events.map(({ prevKv }) => prevKv?.value.toString())).toEqual([undefined, '1', '2']);
        expect(watched.events[2]!.kv).toEqual({
          key: key('a'),
          value: bytes(''),
          createRevision: 0,
          modRevision: base + 4,
          version: 0,
          lease: 0n,
        });
        watched.cancel();
      });

      it('wait for a revision of the future', async () => {
        const watched = collect({ key: key('a'), rangeEnd: undefined, startRevision: base + 3 });
        for (const value of ['1', '2', '3']) await put('a', value);
        await expect.poll(() => watched.lines, waitOptions).toEqual(['put a@3=3']);
        watched.cancel();
      });

      it('never split a revision', async () => {
        const value = Buffer.alloc(60_000, 7);
        for (let start = 0; start < 60; start += 20) {
          const success = Array.from({ length: 20 }, (_, i) => ({
            type: 'put' as const,
            request: { key: key(`${start + i}`), value },
          }));
          await store.txn({ compare: [], success, failure: [] });
        }
        await store.deleteRange(all());
        const watched = collect({ startRevision: base + 1, prevKv: true });
        await expect.poll(() => watched.events.length, waitOptions).toBe(120);
        const seen = watched.calls.flatMap(({ revisions }) => [...new Set(revisions)]);
        expect(seen).toEqual([base + 1, base + 2, base + 3, base + 4]);
        for (const { revisions, revision } of watched.calls)
          expect(Math.max(...revisions)).toBeLessThanOrEqual(revision);
        watched.cancel();
      });

      it('say nothing after they were cancelled', async () => {
        const watched = collect();
        const other = collect();
        await put('a', '1');
        await expect.poll(() => watched.lines.length + other.lines.length, waitOptions).toBe(2);
        watched.cancel();
        await put('a', '2');
        await expect.poll(() => other.lines.length, waitOptions).toBe(2);
        expect(watched.lines).toEqual(['put a@1=1']);
        expect(watched.ended()).toBe(false);
        other.cancel();
      });
    });

    describe('leases', () => {
      it('delete their keys in one revision when revoked', async () => {
        const { id } = await store.grantLease({ ttlSeconds: 600 });
        await expect(store.grantLease({ id, ttlSeconds: 600 })).rejects.toEqual(code('LEASE_EXISTS'));
        for (const name of ['b', 'a']) await store.put({ key: key(name), value: bytes('1'), lease: id });
        await store.put({ key: key('a'), value: bytes(''), ignoreValue: true, ignoreLease: true });
        const watched = collect();
        const status = await store.leaseStatus(id);
        expect(status).toMatchObject({ id, grantedSeconds: 600, keys: [key('a'), key('b')] });
        expect(status.remainingSeconds).toBeGreaterThan(500);
        expect(await store.listLeases()).toContain(id);
        expect(await store.keepAliveLease(id)).toEqual({ ttlSeconds: 600 });
        expect(await store.revokeLease(id)).toEqual({ revision: base + 4 });
        await expect.poll(() => watched.lines, waitOptions).toEqual(['delete a@4=', 'delete b@4=']);
        watched.cancel();
        await expect(store.revokeLease(id)).rejects.toEqual(code('LEASE_NOT_FOUND'));
        await expect(store.keepAliveLease(id)).rejects.toEqual(code('LEASE_NOT_FOUND'));
        await expect(store.leaseStatus(id)).rejects.toEqual(code('LEASE_NOT_FOUND'));
        await expect(store.grantLease({ ttlSeconds: 9_000_000_001 })).rejects.toEqual(code('LEASE_TTL_TOO_LARGE'));
      });
    });

    describe('compaction', () => {
      it('keeps what a reader at its revision or later needs', async () => {
        for (const name of ['a', 'b', 'a']) await put(name, 'x');
        await store.deleteRange({ key: key('b') });
        await put('a', 'y');
        await store.compact(base + 4);
        await expect(store.range({ ...all(), revision: base + 3 })).rejects.toEqual(code('COMPACTED'));
        expect(await pairs({ revision: base + 4 })).toEqual(['a=x']);
        expect(await pairs()).toEqual(['a=y']);
        expect(store.compactRevision()).toBe(base + 4);
        await expect(store.compact(base + 4)).rejects.toEqual(code('COMPACTED'));
        await expect(store.compact(base + 9)).rejects.toEqual(code('FUTURE_REVISION'));
        const gone = collect({ startRevision: base + 2 });
        await expect.poll(() => gone.error(), waitOptions).toEqual(code('COMPACTED'));
        expect(gone.lines).toEqual([]);
        const kept = collect({ startRevision: base + 5 });
        await expect.poll(() => kept.lines, waitOptions).toEqual(['put a@5=y']);
        kept.cancel();
      });
    });

    it('ends its watches and refuses requests when it is closed', async () => {
      const watched = collect();
      await store.close();
      await expect.poll(() => watched.error(), waitOptions).toEqual(code('STORE_CLOSED'));
      await expect(put('a', '1')).rejects.toEqual(code('STORE_CLOSED'));
      await expect(store.range(all())).rejects.toEqual(code('STORE_CLOSED'));
      const late = collect();
      await expect.poll(() => late.error(), waitOptions).toEqual(code('STORE_CLOSED'));
    });
  });
}

/** Collects a watch as "put a@2=x" lines: key without the prefix, revision from the base on. */
function collectEvents(store: Store, request: WatchRequest, prefix: string, base: number) {
  const lines: string[] = [];
  const events: StoreEvent[] = [];
  const calls: { revisions: number[]; revision: number }[] = [];
  let end: { error: Error | undefined } | undefined;
  const watch = store.watch(request, {
    onEvents(told, revision) {
      if (told.length === 0) return;
      events.push(...told);
      calls.push({ revisions: told.map(({ kv }) => kv.modRevision), revision });
      for (const { type, kv } of told) {
        lines.push(`${type} ${kv.key.slice(prefix.length)}@${kv.modRevision - base}=${kv.value}`);
      }
    },
    onEnd(error) {
      end = { error };
    },
  });
  const cancel = () => watch.cancel();
  return { lines, events, calls, cancel, ended: () => end !== undefined, error: () => end?.error };
}
