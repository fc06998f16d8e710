// Telling any number of listeners that something changed, at most so often: the first change is told at once, those
// that follow are told together.

import { AsyncQueue, type Clock, systemClock } from '../../kit';

export class Changes {
  private readonly queues = new Set<AsyncQueue<void>>();

  /** Something changed. */
  signal(): void {
    for (const queue of this.queues) queue.push();
  }

  /** Yields what `read` answers: at once, then after changes. Ends with the signal. */
  async *watch<T>(options: {
    read: () => T;
    signal: AbortSignal;
    minIntervalMs: number;
    clock?: Clock;
  }): AsyncGenerator<T> {
    const { signal, clock = systemClock } = options;
    // One waiting "changed" stands for any number of changes.
    const queue = new AsyncQueue<void>({ capacity: 1 });
    const stop = () => queue.end();
    signal.addEventListener('abort', stop, { once: true });
    this.queues.add(queue);
    let told: string | undefined;
    try {
      while (!signal.aborted) {
        const value = options.read();
        const text = JSON.stringify(value);
        if (text !== told) yield value;
        told = text;
        await quiet(options.minIntervalMs, signal, clock);
        if ((await queue.next()).done) return;
      }
    } finally {
      this.queues.delete(queue);
      signal.removeEventListener('abort', stop);
    }
  }
}

/** Waits, or returns early when aborted. */
function quiet(ms: number, signal: AbortSignal, clock: Clock): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const done = () => {
      cancel();
      signal.removeEventListener('abort', done);
      resolve();
    };
    const cancel = clock.after(ms, done);
    signal.addEventListener('abort', done, { once: true });
  });
}
