// A queue of keys to be worked on. A key is queued at most once, and never handed to two workers at a time: a key that
// is added while it is worked on comes back when that work is done. Failures come back with exponential backoff.

import { Backoff, type BackoffOptions, type Clock, systemClock } from '../kit';

export interface WorkQueueOptions {
  clock?: Clock;
  /** Of `addRateLimited`; default 5 ms doubling to 1000 s, as client-go's controllers. */
  backoff?: BackoffOptions;
}

export class WorkQueue {
  private readonly clock: Clock;
  private readonly backoff: Backoff<string>;
  private readonly queue: string[] = [];
  private readonly dirty = new Set<string>();
  private readonly processing = new Set<string>();
  private readonly delayed = new Map<string, { at: number; cancel: () => void }>();
  private readonly waiting: ((key: string | undefined) => void)[] = [];
  private stopped = false;

  constructor(options: WorkQueueOptions = {}) {
    this.clock = options.clock ?? systemClock;
    this.backoff = new Backoff(options.backoff ?? { baseMs: 5, maxMs: 1_000_000 });
  }

  /** Keys that are ready and not yet handed out. */
  get length(): number {
    return this.queue.length;
  }

  /** Whether nothing is ready, handed out or (unless ignored) waiting for its time. */
  isIdle(options: { ignoreDelayed?: boolean } = {}): boolean {
    const delayed = options.ignoreDelayed ? 0 : this.delayed.size;
    return this.queue.length + this.processing.size + delayed === 0;
  }

  add(key: string): void {
    if (this.stopped || this.dirty.has(key)) return;
    this.dirty.add(key);
    if (!this.processing.has(key)) this.ready(key);
  }

  /** Adds the key after `ms`; of several times for one key the earliest holds. */
  addAfter(key: string, ms: number): void {
    if (this.stopped) return;
    if (ms <= 0) return this.add(key);
    const at = this.clock.now() + ms;
    const earlier = this.delayed.get(key);
    if (earlier && earlier.at <= at) return;
    earlier?.cancel();
    const cancel = this.clock.after(ms, () => {
      this.delayed.delete(key);
      this.add(key);
    });
    this.delayed.set(key, { at, cancel });
  }

  /** Adds the key after its backoff, counting a failure. Answers the delay in milliseconds. */
  addRateLimited(key: string): number {
    const delay = this.backoff.next(key);
    this.addAfter(key, delay);
    return delay;
  }

  /** Forgets the failures of the key: its work succeeded. */
  forget(key: string): void {
    this.backoff.forget(key);
  }

  failuresOf(key: string): number {
    return this.backoff.failuresOf(key);
  }

  /** The next key, when there is one; undefined after shutdown. Each key must be given back with `done`. */
  next(): Promise<string | undefined> {
    const key = this.queue.shift();
    if (key !== undefined) {
      this.handOut(key);
      return Promise.resolve(key);
    }
    if (this.stopped) return Promise.resolve(undefined);
    return new Promise((resolve) => this.waiting.push(resolve));
  }

  done(key: string): void {
    this.processing.delete(key);
    if (this.dirty.has(key) && !this.stopped) this.ready(key);
  }

  /** Drops what is queued and lets waiting workers go. */
  shutdown(): void {
    this.stopped = true;
    for (const { cancel } of this.delayed.values()) cancel();
    this.delayed.clear();
    this.queue.length = 0;
    for (const resolve of this.waiting.splice(0)) resolve(undefined);
  }

  private ready(key: string): void {
    const resolve = this.waiting.shift();
    if (!resolve) {
      this.queue.push(key);
      return;
    }
    this.handOut(key);
    resolve(key);
  }

  private handOut(key: string): void {
    this.dirty.delete(key);
    this.processing.add(key);
  }
}
