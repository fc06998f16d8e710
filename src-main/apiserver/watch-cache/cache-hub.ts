// The one watch on the store that feeds the caches of all kinds. It watches the whole key space, so that its revision
// is the store's own: a read at "most recent" waits until the hub has seen the store's revision and is then consistent,
// with no read of the store. When the watch ends (compacted under it, store trouble) all caches are filled anew.

import { type Clock, type Logger, messageOf, PilothouseError, systemClock } from '../../kit';
import { prefixEnd, type Store, type StoreEvent, type Watch } from '../../store';
import { registryRoot } from '../registry/keys';
import { tooLargeResourceVersion } from '../status/errors';
import type { WatchCache } from './watch-cache';

interface Waiter {
  revision: number;
  resolve(): void;
}

export interface CacheHubOptions {
  store: Store;
  logger: Logger;
  clock?: Clock;
}

const waitMs = 3_000;
const refillDelayMs = 500;

export class CacheHub {
  private readonly caches = new Map<string, WatchCache>();
  private waiters: Waiter[] = [];
  private seen = 0;
  private watch: Watch | undefined;
  private stopped = false;
  private cancelRefill = (): void => {};

  constructor(private readonly options: CacheHubOptions) {}

  private get clock(): Clock {
    return this.options.clock ?? systemClock;
  }

  /** The revision up to which the caches are complete. */
  get revision(): number {
    return this.seen;
  }

  /** Adds a cache; only before `start`. */
  add(cache: WatchCache): void {
    this.caches.set(cache.prefix, cache);
  }

  /** Fills all caches and follows the store from there. */
  async start(): Promise<void> {
    const { store, logger } = this.options;
    const revision = (await store.syncRevision?.()) ?? store.revision();
    for (const cache of this.caches.values()) {
      const { kvs } = await store.range({ key: cache.prefix, rangeEnd: prefixEnd(cache.prefix), revision });
      const unreadable = cache.load(
        kvs.map((kv) => ({ key: kv.key, value: kv.value, revision: kv.modRevision })),
        revision,
      );
      if (unreadable.length > 0) logger.error('stored values are not objects', { keys: unreadable });
    }
    this.advance(revision);
    this.watch = store.watch(
      { key: '\0', rangeEnd: '\0', startRevision: revision + 1 },
      {
        onEvents: (events, last) => this.apply(events, last),
        onEnd: (error) => this.refill(error),
      },
    );
  }

  stop(): void {
    this.stopped = true;
    this.cancelRefill();
    this.watch?.cancel();
    for (const waiter of this.waiters) waiter.resolve();
    this.waiters = [];
  }

  /**
   * Resolves when every write the store has acknowledged by now is in the caches. A store that others write to as well
   * is asked for its revision: what this process knows of it may be old.
   */
  caughtUp(): Promise<void> | undefined {
    const { store } = this.options;
    return store.syncRevision ? this.synced(store.syncRevision()) : this.reached(store.revision());
  }

  private async synced(revision: Promise<number>): Promise<void> {
    await this.reached(await revision);
  }

  /** Resolves when the caches have seen `revision`; 504 when they do not within three seconds. */
  reached(revision: number): Promise<void> | undefined {
    if (this.seen >= revision) return undefined;
    return new Promise((resolve, reject) => {
      const cancel = this.clock.after(waitMs, () => {
        this.waiters = this.waiters.filter((item) => item !== waiter);
        reject(tooLargeResourceVersion(revision, this.seen));
      });
      const waiter: Waiter = {
        revision,
        resolve: () => {
          cancel();
          resolve();
        },
      };
      this.waiters.push(waiter);
    });
  }

  private apply(events: StoreEvent[], revision: number): void {
    for (const { type, kv } of events) {
      const value = type === 'put' ? kv.value : undefined;
      try {
        this.cacheOf(kv.key)?.apply({ key: kv.key, value, revision: kv.modRevision });
      } catch (error) {
        // A value someone else wrote and that is no object: the API cannot serve it, and must not stop because of it.
        this.options.logger.error('stored value is not an object', { key: kv.key, error: messageOf(error) });
      }
    }
    this.advance(revision);
  }

  private cacheOf(key: string): WatchCache | undefined {
    if (!key.startsWith(registryRoot)) return undefined;
    const first = key.indexOf('/', registryRoot.length);
    if (first < 0) return undefined;
    const found = this.caches.get(key.slice(0, first + 1));
    if (found) return found;
    const second = key.indexOf('/', first + 1);
    return second < 0 ? undefined : this.caches.get(key.slice(0, second + 1));
  }

  private advance(revision: number): void {
    this.seen = revision;
    if (this.waiters.length === 0) return;
    const ready = this.waiters.filter((waiter) => waiter.revision <= revision);
    if (ready.length === 0) return;
    this.waiters = this.waiters.filter((waiter) => waiter.revision > revision);
    for (const waiter of ready) waiter.resolve();
  }

  private refill(error: Error | undefined): void {
    if (this.stopped) return;
    this.watch = undefined;
    if (error instanceof PilothouseError && error.code === 'STORE_CLOSED') return;
    this.options.logger.warn('watch on the store ended; filling the caches again', { error: error?.message });
    this.cancelRefill = this.clock.after(refillDelayMs, () => {
      this.start().catch((failure: unknown) => this.refill(failure instanceof Error ? failure : undefined));
    });
  }
}
