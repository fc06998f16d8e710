import { beforeEach, describe, expect, it } from 'vitest';
import { FakeClock } from '../testkit/fake-clock';
import { podInfo } from './pod-info';
import { SchedulingQueue } from './scheduling-queue';

const info = (name: string, priority = 0) =>
  podInfo({ metadata: { name, uid: name }, spec: { containers: [], priority } });

describe('SchedulingQueue', () => {
  let clock: FakeClock;
  let queue: SchedulingQueue;
  const nodeChanges = new Set(['node-changed'] as const);

  beforeEach(() => {
    clock = new FakeClock();
    queue = new SchedulingQueue(clock);
  });

  it('gives the highest priority first, then the oldest', async () => {
    for (const item of [info('a'), info('b', 5), info('c', 5), info('d')]) queue.add(item);
    const order: string[] = [];
    for (let i = 0; i < 4; i++) order.push((await queue.next())!.key);
    expect(order).toEqual(['b', 'c', 'a', 'd']);
  });

  it('parks what no change can help until one can, after its backoff', async () => {
    queue.add(info('a'));
    await queue.next();
    queue.failed('a', nodeChanges);
    queue.wake('pod-removed');
    expect(queue.counts).toMatchObject({ unschedulable: 1, backoff: 0 });
    queue.wake('node-changed');
    expect(queue.counts).toMatchObject({ unschedulable: 0, backoff: 1 });
    await clock.advance(1000);
    expect(queue.counts.active).toBe(1);
    await queue.next();
    queue.failed('a', nodeChanges);
    await clock.advance(2000);
    queue.wake('node-changed');
    expect(queue.counts.active).toBe(1);
  });

  it('does not lose a change that comes while the Pod is being tried', async () => {
    queue.add(info('a'));
    await queue.next();
    queue.wake('node-changed');
    queue.failed('a', nodeChanges);
    expect(queue.counts).toMatchObject({ unschedulable: 0, backoff: 1 });
  });

  it('tries again after an error, at most every ten seconds, and after five minutes in any case', async () => {
    queue.add(info('a'));
    for (const delay of [1000, 2000, 4000, 8000, 10_000, 10_000]) {
      await queue.next();
      queue.failed('a');
      await clock.advance(delay - 1);
      expect(queue.counts.active).toBe(0);
      await clock.advance(1);
      expect(queue.counts.active).toBe(1);
    }
    await queue.next();
    queue.failed('a', nodeChanges);
    await clock.advance(300_000);
    expect(queue.counts.active).toBe(1);
  });

  it('forgets removed Pods and lets its reader go at shutdown', async () => {
    queue.add(info('a'));
    await queue.next();
    queue.remove('a');
    queue.failed('a');
    expect(queue.counts).toEqual({ active: 0, backoff: 0, unschedulable: 0, trying: 0 });
    const waiting = queue.next();
    queue.shutdown();
    expect(await waiting).toBeUndefined();
    expect(clock.pending).toBe(0);
  });
});
