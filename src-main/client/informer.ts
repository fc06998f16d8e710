// A live copy of a set of objects: list, then watch, for ever. Every change is told to the handlers once, in order.
// A watch that ends is taken up again where it stopped; one whose version is too old (410) starts over with a list,
// whose differences are told as changes; anything else is logged and tried again with exponential backoff.

import type { KubeObject } from '../api';
import { Backoff, type Clock, type Logger, messageOf, sleep, systemClock } from '../kit';
import { ApiError } from './api-error';
import type { Client, Resource } from './client';
import { deepFreeze } from './deep-freeze';
import { type IndexFunction, type Lister, ObjectCache } from './lister';
import { objectKey } from './resource-path';

export interface InformerOptions {
  client: Client;
  resource: Resource;
  namespace?: string;
  labelSelector?: string;
  fieldSelector?: string;
  logger: Logger;
  clock?: Clock;
  /** Spread of watch durations, so that many informers do not renew together; tests fix it. */
  random?: () => number;
  /** The longest wait between tries while the server cannot be reached, in milliseconds; default 30 s. */
  maxBackoffMs?: number;
}

export interface EventHandler<T> {
  add?(object: T): void;
  update?(old: T, object: T): void;
  delete?(object: T): void;
}

export interface Informer<T extends KubeObject> {
  readonly resource: Resource;
  readonly lister: Lister<T>;
  /** Whether the first list is in the lister and its handlers have run. */
  hasSynced(): boolean;
  /** The newest resourceVersion this informer has seen, 0 before the first list: to wait for one's own writes. */
  latestVersion(): number;
  /** Resolves when synced, rejects with the signal's reason when that aborts first. */
  waitForSync(signal: AbortSignal): Promise<void>;
  /** Handlers run synchronously in the order of the changes; what is held already is told as added. */
  addHandler(handler: EventHandler<T>): () => void;
  addIndex(name: string, index: IndexFunction<T>): void;
  /** Runs until the signal aborts; the promise resolves then and never rejects. Call once. */
  start(signal: AbortSignal): Promise<void>;
}

const baseBackoffMs = 200;
const defaultMaxBackoffMs = 30_000;
const minWatchSeconds = 300;

export function createInformer<T extends KubeObject>(options: InformerOptions): Informer<T> {
  return new ListWatchInformer<T>(options);
}

class ListWatchInformer<T extends KubeObject> implements Informer<T> {
  private readonly cache = new ObjectCache<T>();
  private readonly handlers = new Set<EventHandler<T>>();
  private readonly logger: Logger;
  private readonly clock: Clock;
  private readonly backoff: Backoff<'list-watch'>;
  private version: string | undefined;
  private synced = false;
  private started = false;
  private readonly whenSynced: Promise<void>;
  private markSynced = () => {};

  constructor(private readonly options: InformerOptions) {
    this.clock = options.clock ?? systemClock;
    this.backoff = new Backoff({ baseMs: baseBackoffMs, maxMs: options.maxBackoffMs ?? defaultMaxBackoffMs });
    this.logger = options.logger.child({ informer: options.resource.plural });
    this.whenSynced = new Promise((resolve) => {
      this.markSynced = resolve;
    });
  }

  get resource(): Resource {
    return this.options.resource;
  }

  get lister(): Lister<T> {
    return this.cache;
  }

  hasSynced(): boolean {
    return this.synced;
  }

  latestVersion(): number {
    return Number(this.version ?? 0);
  }

  async waitForSync(signal: AbortSignal): Promise<void> {
    if (this.synced) return;
    let abort = () => {};
    const aborted = new Promise<never>((_, reject) => {
      abort = () => reject(signal.reason);
      if (signal.aborted) abort();
      else signal.addEventListener('abort', abort, { once: true });
    });
    try {
      await Promise.race([this.whenSynced, aborted]);
    } finally {
      signal.removeEventListener('abort', abort);
    }
  }

  addHandler(handler: EventHandler<T>): () => void {
    this.handlers.add(handler);
    for (const object of this.cache.list()) this.guard(() => handler.add?.(object));
    return () => this.handlers.delete(handler);
  }

  addIndex(name: string, index: IndexFunction<T>): void {
    this.cache.addIndex(name, index);
  }

  async start(signal: AbortSignal): Promise<void> {
    if (this.started) throw new Error(`informer of ${this.resource.plural} was started twice`);
    this.started = true;
    while (!signal.aborted) {
      try {
        if (this.version === undefined) await this.relist();
        if (!signal.aborted) await this.watch(signal);
        this.backoff.forget('list-watch');
      } catch (error) {
        if (signal.aborted) return;
        await this.recover(error, signal);
      }
    }
  }

  private async recover(error: unknown, signal: AbortSignal): Promise<void> {
    const expired = error instanceof ApiError && error.statusCode === 410;
    if (expired) {
      this.version = undefined;
      this.logger.debug('watch version is too old, listing anew');
    }
    const first = this.backoff.failuresOf('list-watch') === 0;
    const delay = this.backoff.next('list-watch');
    if (expired && first) return;
    this.logger.warn('list and watch failed, trying again', { error: messageOf(error), delayMs: delay });
    try {
      await sleep(delay, { signal, clock: this.clock });
    } catch (reason) {
      this.logger.debug('stopped while waiting to try again', { reason: messageOf(reason) });
    }
  }

  private async relist(): Promise<void> {
    const { client, resource, namespace, labelSelector, fieldSelector } = this.options;
    const scope = { namespace, labelSelector, fieldSelector };
    let page = await client.list<T>(resource, scope);
    const items = [...page.items];
    while (page.metadata.continue) {
      page = await client.list<T>(resource, { ...scope, continue: page.metadata.continue });
      items.push(...page.items);
    }
    const gone = new Set(this.cache.keys());
    for (const item of items) {
      gone.delete(objectKey(item));
      this.store(item);
    }
    for (const key of gone) this.remove(key);
    this.version = page.metadata.resourceVersion ?? '0';
    if (!this.synced) {
      this.synced = true;
      this.markSynced();
    }
  }

  private async watch(signal: AbortSignal): Promise<void> {
    const { client, resource, namespace, labelSelector, fieldSelector, random = Math.random } = this.options;
    const timeoutSeconds = Math.floor(minWatchSeconds * (1 + random()));
    const scope = { namespace, labelSelector, fieldSelector, resourceVersion: this.version };
    const startedAt = this.clock.now();
    let seen = 0;
    const events = client.watch<T>(resource, { ...scope, allowBookmarks: true, timeoutSeconds, signal });
    for await (const event of events) {
      if (signal.aborted) return;
      seen++;
      if (event.type === 'ADDED' || event.type === 'MODIFIED') this.store(event.object);
      else if (event.type === 'DELETED') this.remove(objectKey(event.object), event.object);
      this.version = event.object.metadata.resourceVersion ?? this.version;
      this.backoff.forget('list-watch');
    }
    // A server that ends every watch at once must not be asked in a tight loop.
    if (seen === 0 && !signal.aborted && this.clock.now() - startedAt < 1000) {
      throw new Error('the watch ended at once without an event');
    }
  }

  private store(object: T): void {
    deepFreeze(object);
    const old = this.cache.set(object);
    if (old === undefined) this.tell((handler) => handler.add?.(object));
    else if (old.metadata.resourceVersion !== object.metadata.resourceVersion) {
      this.tell((handler) => handler.update?.(old, object));
    }
  }

  private remove(key: string, last?: T): void {
    const old = this.cache.delete(key);
    if (!old) return;
    const object = deepFreeze(last ?? old);
    this.tell((handler) => handler.delete?.(object));
  }

  private tell(call: (handler: EventHandler<T>) => void): void {
    for (const handler of this.handlers) this.guard(() => call(handler));
  }

  /** One handler's mistake must not stop the others nor the watch. */
  private guard(call: () => void): void {
    try {
      call();
    } catch (error) {
      this.logger.error('an informer handler failed', { error: messageOf(error) });
    }
  }
}
