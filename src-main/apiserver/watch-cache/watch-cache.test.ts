import { describe, expect, it } from 'vitest';
import { findKind, type KubeObject } from '../../api';
import { Codec } from '../registry/codec';
import { EventRing } from './event-ring';
import { type CacheEvent, WatchCache } from './watch-cache';

const codec = new Codec(findKind('', 'v1', 'configmaps')!);
const prefix = '/registry/configmaps/';

function stored(name: string, data: Record<string, string> = {}): Buffer {
  const object = { metadata: { name, namespace: 'a' }, data } as KubeObject;
  return codec.encode(object);
}

function cacheOf(...names: string[]): WatchCache {
  const cache = new WatchCache(prefix, codec, { ringCapacity: 4 });
  cache.load(
    names.map((name, index) => ({ key: `${prefix}${name}`, value: stored(name), revision: index + 2 })),
    10,
  );
  return cache;
}

const keys = (cache: WatchCache, range = { prefix }) => cache.list(range).map(({ key }) => key.slice(prefix.length));

describe('WatchCache', () => {
  it('keeps keys in order over puts and deletions', () => {
    const cache = cacheOf('b/2', 'a/1', 'ab/1');
    cache.apply({ key: `${prefix}a/0`, value: stored('0'), revision: 11 });
    cache.apply({ key: `${prefix}ab/1`, value: undefined, revision: 12 });
    expect(keys(cache)).toEqual(['a/0', 'a/1', 'b/2']);
    expect(keys(cache, { prefix: `${prefix}a/` })).toEqual(['a/0', 'a/1']);
    expect(cache.list({ prefix, after: `${prefix}a/0` }).map(({ key }) => key)).toEqual([
      `${prefix}a/1`,
      `${prefix}b/2`,
    ]);
    expect(cache.lastChange).toBe(12);
  });

  it('tells listeners what happened, with the state before', () => {
    const cache = cacheOf('a/1');
    const events: CacheEvent[] = [];
    const stop = cache.listen({ onEvent: (event) => events.push(event), onReset: () => undefined });
    cache.apply({ key: `${prefix}a/1`, value: stored('1', { x: 'y' }), revision: 11 });
    cache.apply({ key: `${prefix}a/1`, value: undefined, revision: 12 });
    stop();
    cache.apply({ key: `${prefix}a/2`, value: stored('2'), revision: 13 });
    expect(events.map(({ type, revision }) => [type, revision])).toEqual([
      ['MODIFIED', 11],
      ['DELETED', 12],
    ]);
    expect(events[1]!.previous!.object.metadata.resourceVersion).toBe('11');
    const gone = JSON.parse(events[1]!.entry.bytes.toString()) as KubeObject & { data: unknown };
    expect(gone).toMatchObject({ metadata: { resourceVersion: '12' }, data: { x: 'y' } });
  });

  it('takes the object of a writer instead of parsing, if the bytes are the same', () => {
    const cache = cacheOf();
    const object = { metadata: { name: '1', namespace: 'a' } } as KubeObject;
    const value = codec.encode(object);
    cache.expect(`${prefix}a/1`, value, object);
    cache.apply({ key: `${prefix}a/1`, value: Buffer.from(value), revision: 11 });
    expect(cache.get(`${prefix}a/1`)!.object).toBe(object);
    cache.expect(`${prefix}a/1`, value, object);
    cache.apply({ key: `${prefix}a/1`, value: stored('1', { other: 'writer' }), revision: 12 });
    expect(cache.get(`${prefix}a/1`)!.object).not.toBe(object);
  });

  it('answers the changes after a revision, or 410', () => {
    const cache = cacheOf();
    for (let revision = 11; revision <= 15; revision++) {
      cache.apply({ key: `${prefix}a/${revision}`, value: stored('x'), revision });
    }
    expect(cache.since(13).map(({ revision }) => revision)).toEqual([14, 15]);
    expect(() => cache.since(11)).toThrow('too old resource version: 11 (12)');
    expect(cache.since(15)).toEqual([]);
  });

  it('tells listeners to start over when it is filled anew', () => {
    const cache = cacheOf('a/1');
    let resets = 0;
    cache.listen({ onEvent: () => undefined, onReset: () => resets++ });
    cache.load([], 20);
    cache.load([], 21);
    expect(resets).toBe(1);
    expect(cache.size).toBe(0);
  });
});

describe('EventRing', () => {
  it('never cuts a revision in two', () => {
    const ring = new EventRing<{ revision: number }>(4);
    ring.reset(1);
    for (const revision of [2, 3, 3, 3, 4]) ring.push({ revision });
    expect(ring.oldestRevision).toBe(3);
    expect(ring.after(3)).toEqual([{ revision: 4 }]);
  });
});
