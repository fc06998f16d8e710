// Shares one subscription among all that look at the same list, keeps it a little longer than its last viewer (going
// back is instant), and re-opens it where it stopped.

import type { WatchMessage, WatchRequest } from '../../src-main/contract';
import type { Failure } from '../rpc';
import { ResourceFeed, type Scheduler } from './resource-feed';

export interface WatchHandlers {
  onMessage(message: WatchMessage): void;
  /** The stream ended; `failure` says why. It is not re-opened by itself. */
  onEnd(failure: Failure): void;
  /** The connection under the stream was lost. */
  onDisconnect(failure: Failure): void;
}

/** Opens a watch; the returned function ends it. */
export type OpenWatch = (request: WatchRequest, handlers: WatchHandlers) => () => void;

export interface PoolOptions {
  open: OpenWatch;
  schedule?: Scheduler;
  setTimer?: (run: () => void, ms: number) => ReturnType<typeof setTimeout>;
  clearTimer?: (timer: ReturnType<typeof setTimeout> | undefined) => void;
}

const lingerMs = 15_000;
const retryMs = [500, 1000, 2000, 5000] as const;

class Entry {
  readonly feed: ResourceFeed;
  users = 0;
  linger: ReturnType<typeof setTimeout> | undefined;
  private stop: (() => void) | undefined;
  private retry: ReturnType<typeof setTimeout> | undefined;
  private failures = 0;
  private generation = 0;

  constructor(
    private readonly request: WatchRequest,
    private readonly options: Required<Omit<PoolOptions, 'schedule'>> & Pick<PoolOptions, 'schedule'>,
  ) {
    this.feed = new ResourceFeed(options.schedule);
  }

  open(): void {
    this.close();
    const generation = this.generation;
    let received = false;
    const current = () => generation === this.generation;
    this.stop = this.options.open(
      { ...this.request, resourceVersion: this.feed.resourceVersion },
      {
        onMessage: (message) => {
          if (!current()) return;
          received = true;
          if (message.type !== 'stale') this.failures = 0;
          this.feed.receive(message);
        },
        onEnd: (failure) => {
          if (!current()) return;
          // What cannot be resumed is read anew.
          this.feed.resourceVersion = undefined;
          this.feed.interrupted(failure);
          const delay = retryMs[Math.min(this.failures, retryMs.length - 1)]!;
          this.failures += 1;
          this.close();
          this.retry = this.options.setTimer(() => this.open(), delay);
        },
        onDisconnect: (failure) => {
          if (!current() || !received) return;
          this.feed.interrupted(failure);
          this.open();
        },
      },
    );
  }

  close(): void {
    this.generation += 1;
    this.options.clearTimer(this.retry);
    this.stop?.();
    this.stop = undefined;
  }
}

export class FeedPool {
  private readonly entries = new Map<string, Entry>();
  private readonly options: Required<Omit<PoolOptions, 'schedule'>> & Pick<PoolOptions, 'schedule'>;

  constructor(options: PoolOptions) {
    this.options = {
      setTimer: (run, ms) => setTimeout(run, ms),
      clearTimer: (timer) => clearTimeout(timer),
      ...options,
    };
  }

  /** The live list of `request`; call `release` when it is looked at no more. */
  acquire(request: WatchRequest): { feed: ResourceFeed; release: () => void } {
    const { group, version, plural } = request.resource;
    const { labelSelector = '', fieldSelector = '' } = request;
    const key = [request.cluster, group, version, plural, request.namespace ?? '', labelSelector, fieldSelector].join(
      '|',
    );
    let entry = this.entries.get(key);
    if (!entry) {
      entry = new Entry(request, this.options);
      this.entries.set(key, entry);
      entry.open();
    }
    const held = entry;
    held.users += 1;
    this.options.clearTimer(held.linger);
    let released = false;
    const release = () => {
      if (released) return;
      released = true;
      held.users -= 1;
      if (held.users > 0) return;
      held.linger = this.options.setTimer(() => {
        if (held.users > 0) return;
        held.close();
        this.entries.delete(key);
      }, lingerMs);
    };
    return { feed: held.feed, release };
  }

  /** Number of open lists, for tests and diagnostics. */
  get size(): number {
    return this.entries.size;
  }
}
