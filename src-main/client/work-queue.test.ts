import { describe, expect, it } from 'vitest';
import { FakeClock } from '../testkit/fake-clock';
import { WorkQueue } from './work-queue';

describe('WorkQueue', () => {
  it('holds a key once and hands it to one worker at a time', async () => {
    const queue = new WorkQueue({ clock: new FakeClock() });
    queue.add('a');
    queue.add('a');
    queue.add('b');
    expect(queue.length).toBe(2);
    expect(await queue.next()).toBe('a');
    queue.add('a');
    expect(queue.length).toBe(1);
    expect(await queue.next()).toBe('b');
    queue.done('b');
    const waiting = queue.next();
    queue.done('a');
    expect(await waiting).toBe('a');
    queue.done('a');
    expect(queue.isIdle()).toBe(true);
  });

  it('adds after a delay, the earliest of several', async () => {
    const clock = new FakeClock();
    const queue = new WorkQueue({ clock });
    queue.addAfter('a', 500);
    queue.addAfter('a', 100);
    queue.addAfter('a', 900);
    await clock.advance(99);
    expect(queue.length).toBe(0);
    await clock.advance(1);
    expect(queue.length).toBe(1);
    expect(clock.pending).toBe(0);
  });

  it('doubles the delay of a failing key until it is forgotten', async () => {
    const clock = new FakeClock();
    const queue = new WorkQueue({ clock, backoff: { baseMs: 10, maxMs: 40 } });
    const delays: number[] = [];
    for (let i = 0; i < 4; i++) {
      delays.push(queue.addRateLimited('a'));
      await clock.advance(50);
      await queue.next();
      queue.done('a');
    }
    expect(delays).toEqual([10, 20, 40, 40]);
    queue.forget('a');
    expect(queue.addRateLimited('a')).toBe(10);
  });

  it('lets waiting workers go at shutdown and takes nothing more', async () => {
    const clock = new FakeClock();
    const queue = new WorkQueue({ clock });
    const waiting = queue.next();
    queue.addAfter('a', 10);
    queue.shutdown();
    expect(await waiting).toBeUndefined();
    queue.add('b');
    expect(queue.length).toBe(0);
    expect(clock.pending).toBe(0);
  });
});
