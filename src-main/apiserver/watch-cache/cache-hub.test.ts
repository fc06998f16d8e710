import { describe, expect, it } from 'vitest';
import { findKind } from '../../api';
import { type Clock, silentLogger } from '../../kit';
import type { KeyValue, Store, WatchListener, WatchRequest } from '../../store';
import { Codec } from '../registry/codec';
import { CacheHub } from './cache-hub';
import { WatchCache } from './watch-cache';

const codec = new Codec(findKind('', 'v1', 'configmaps')!);
const prefix = '/registry/configmaps/';
const key = `${prefix}a/x`;

function keyValue(revision: number): KeyValue {
  const value = codec.encode({ metadata: { name: 'x', namespace: 'a' } });
  return { key, value, createRevision: 2, modRevision: revision, version: 1, lease: 0n };
}

/** A store of which the test decides what it holds and when its watch speaks. */
function setUp() {
  const state = {
    revision: 5,
    kvs: [] as KeyValue[],
    watches: [] as { request: WatchRequest; listener: WatchListener }[],
  };
  const timers: { ms: number; callback(): void }[] = [];
  const clock: Clock = {
    now: () => 0,
    after(ms, callback) {
      const timer = { ms, callback };
      timers.push(timer);
      return () => {
        const at = timers.indexOf(timer);
        if (at >= 0) timers.splice(at, 1);
      };
    },
  };
  const store = {
    revision: () => state.revision,
    range: async () => ({ revision: state.revision, kvs: state.kvs, more: false, count: state.kvs.length }),
    watch: (request: WatchRequest, listener: WatchListener) => {
      state.watches.push({ request, listener });
      return { cancel: () => undefined };
    },
  } as unknown as Store;
  const hub = new CacheHub({ store, logger: silentLogger, clock });
  const cache = new WatchCache(prefix, codec);
  hub.add(cache);
  return { hub, cache, store, state, timers };
}

describe('CacheHub', () => {
  it('follows the store from the revision it was filled at', async () => {
    const { hub, cache, state } = setUp();
    await hub.start();
    expect(state.watches[0]!.request).toEqual({ key: '\0', rangeEnd: '\0', startRevision: 6 });
    state.watches[0]!.listener.onEvents([{ type: 'put', kv: keyValue(6) }], 6);
    expect(cache.get(key)!.revision).toBe(6);
    expect(hub.revision).toBe(6);
  });

  it('lets a consistent read wait until it has seen what the store acknowledged', async () => {
    const { hub, state, timers } = setUp();
    await hub.start();
    expect(hub.caughtUp()).toBeUndefined();
    state.revision = 7;
    let done = false;
    const waiting = hub.caughtUp()!.then(() => {
      done = true;
    });
    state.watches[0]!.listener.onEvents([{ type: 'put', kv: keyValue(6) }], 6);
    await Promise.resolve();
    expect(done).toBe(false);
    state.watches[0]!.listener.onEvents([{ type: 'put', kv: { ...keyValue(7), key: '/elsewhere' } }], 7);
    await waiting;
    expect(timers).toHaveLength(0);
  });

  it('asks a store that others write to for its revision before a consistent read', async () => {
    const { hub, store, state } = setUp();
    let answer = (_revision: number) => {};
    store.syncRevision = async () => 5;
    await hub.start();
    store.syncRevision = () =>
      new Promise((resolve) => {
        answer = resolve;
      });
    let done = false;
    const waiting = hub.caughtUp()!.then(() => {
      done = true;
    });
    // Another process's write: this one's store has not heard of it yet.
    answer(6);
    await new Promise<void>((resolve) => setImmediate(resolve));
    expect(done).toBe(false);
    state.watches[0]!.listener.onEvents([], 6);
    await waiting;
  });

  it('gives up on a revision that does not come', async () => {
    const { hub, timers } = setUp();
    await hub.start();
    const waiting = hub.reached(99)!;
    timers[0]!.callback();
    await expect(waiting).rejects.toMatchObject({ statusCode: 504, reason: 'Timeout' });
  });

  it('fills the caches again when the watch ends, and tells those who listened', async () => {
    const { hub, cache, state, timers } = setUp();
    await hub.start();
    let reset = false;
    cache.listen({
      onEvent: () => undefined,
      onReset: () => {
        reset = true;
      },
    });
    state.revision = 9;
    state.kvs = [keyValue(8)];
    state.watches[0]!.listener.onEnd(new Error('compacted'));
    timers[0]!.callback();
    await expect.poll(() => state.watches.length).toBe(2);
    expect(reset).toBe(true);
    expect(cache.get(key)!.revision).toBe(8);
    expect(hub.revision).toBe(9);
  });

  it('goes on after a value that is no object', async () => {
    const { hub, cache, state } = setUp();
    state.kvs = [{ ...keyValue(4), key: `${prefix}a/worse`, value: Buffer.from('{}') }];
    await hub.start();
    const bad = { ...keyValue(6), key: `${prefix}a/bad`, value: Buffer.from('not json') };
    state.watches[0]!.listener.onEvents([{ type: 'put', kv: bad }], 6);
    state.watches[0]!.listener.onEvents([{ type: 'put', kv: keyValue(7) }], 7);
    expect(cache.list({ prefix }).map((entry) => entry.key)).toEqual([key]);
  });
});
