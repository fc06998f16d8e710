import { describe, expect, it } from 'vitest';
import type { WatchMessage, WatchRequest } from '../../src-main/contract';
import { FeedPool, type WatchHandlers } from './feed-pool';

const pods = { group: '', version: 'v1', plural: 'pods', namespaced: true };
const request: WatchRequest = { cluster: 'one', resource: pods };
const failure = { code: 'X', message: 'gone', details: {} };

function setUp() {
  const opened: { request: WatchRequest; handlers: WatchHandlers; open: boolean }[] = [];
  const timers: { run: () => void; ms: number; live: boolean }[] = [];
  const pool = new FeedPool({
    open: (asked, handlers) => {
      const stream = { request: asked, handlers, open: true };
      opened.push(stream);
      return () => {
        stream.open = false;
      };
    },
    schedule: (publish) => publish(),
    setTimer: (run, ms) => timers.push({ run, ms, live: true }) as unknown as ReturnType<typeof setTimeout>,
    clearTimer: (timer) => {
      const kept = timers[(timer as unknown as number) - 1];
      if (kept) kept.live = false;
    },
  });
  const elapse = () => timers.splice(0).forEach((timer) => timer.live && timer.run());
  return { opened, pool, elapse };
}
const snapshot: Extract<WatchMessage, { type: 'snapshot' }> = {
  type: 'snapshot',
  list: { apiVersion: 'v1', kind: 'PodList', metadata: { resourceVersion: '7' }, items: [{ metadata: { name: 'a' } }] },
};

describe('FeedPool', () => {
  it('opens one watch for many viewers and ends it some time after the last', () => {
    const { opened, pool, elapse } = setUp();
    const first = pool.acquire(request);
    const second = pool.acquire(request);
    expect(second.feed).toBe(first.feed);
    expect(opened).toHaveLength(1);
    first.release();
    first.release();
    elapse();
    expect(opened[0]!.open).toBe(true);
    second.release();
    elapse();
    expect(opened[0]!.open).toBe(false);
    expect(pool.size).toBe(0);
  });

  it('keeps lists of different namespaces and selectors apart', () => {
    const { opened, pool } = setUp();
    pool.acquire(request);
    pool.acquire({ ...request, namespace: 'web' });
    pool.acquire({ ...request, labelSelector: 'app=web' });
    expect(opened).toHaveLength(3);
  });

  it('resumes at the last revision when the connection is lost', () => {
    const { opened, pool } = setUp();
    const { feed } = pool.acquire(request);
    opened[0]!.handlers.onMessage(snapshot);
    opened[0]!.handlers.onDisconnect(failure);
    expect(feed.state.value).toBe('stale');
    expect(opened.map((stream) => [stream.open, stream.request.resourceVersion])).toEqual([
      [false, undefined],
      [true, '7'],
    ]);
    opened[1]!.handlers.onDisconnect(failure);
    expect(opened).toHaveLength(2);
  });

  it('reads anew, later, when the stream ends with a failure', () => {
    const { opened, pool, elapse } = setUp();
    const { feed } = pool.acquire(request);
    opened[0]!.handlers.onMessage(snapshot);
    opened[0]!.handlers.onEnd(failure);
    expect(opened).toHaveLength(1);
    elapse();
    expect(opened[1]!.request.resourceVersion).toBeUndefined();
    opened[0]!.handlers.onMessage({ ...snapshot, list: { ...snapshot.list, items: [] } });
    expect(feed.items.value).toHaveLength(1);
  });
});
