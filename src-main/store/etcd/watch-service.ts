// etcd's Watch service: many watches on one stream. What a slow client has not taken yet is bounded: when too many bytes
// wait on the stream, a watch that speaks is parked (its revision noted, its watch ended) and begins again from history
// on disk once the stream has drained. So nothing is skipped, nothing told twice, and memory does not grow.

import type { ServerDuplexStream } from '@grpc/grpc-js';
import type { Store } from '../store';
import { alreadyEncoded, permit, type ServiceContext } from './calls';
import type { MountedService } from './extension';
import { etcdError, toGrpcError } from './grpc-error';
import type { ResponseEncoder, WatchFrame } from './messages-out';
import { services } from './protocol';
import { StreamWatch } from './stream-watch';

export interface WatchCreate {
  key: Buffer;
  range_end: Buffer;
  start_revision: string;
  progress_notify: boolean;
  filters: number[];
  prev_kv: boolean;
  watch_id: string;
  fragment: boolean;
}

interface WatchMessage {
  request_union?: 'create_request' | 'cancel_request' | 'progress_request';
  create_request?: WatchCreate;
  cancel_request?: { watch_id: string };
}

type Call = ServerDuplexStream<WatchMessage, Buffer>;

export interface WatchServiceOptions {
  /** Bytes that may wait on one stream before its watches are parked. */
  maxQueuedBytes?: number;
  /** How often a watch with progress_notify hears of the revision while nothing happens. */
  progressMs?: number;
  /** Told of watches that come and go, for metrics. */
  onCount?: (change: { watches?: number; streams?: number }) => void;
}

const defaultQueuedBytes = 4 * 1024 * 1024;
const defaultProgressMs = 600_000;
/** While a progress request waits for watches that catch up. */
const progressRetryMs = 20;
/** Watches on one stream; etcd has no bound, but a bound there must be. */
const maxWatches = 100_000;

export function watchService(
  context: ServiceContext,
  encode: ResponseEncoder,
  options: WatchServiceOptions = {},
): MountedService {
  const Watch = (call: Call) => {
    new WatchStream(call, { context, encode, options }).start();
  };
  const definition = { ...services.watch, Watch: { ...services.watch.Watch!, responseSerialize: alreadyEncoded } };
  return { definition, implementation: { Watch } };
}

interface WatchStreamParts {
  context: ServiceContext;
  encode: ResponseEncoder;
  options: WatchServiceOptions;
}

class WatchStream {
  private readonly watches = new Map<bigint, StreamWatch>();
  private readonly parked = new Set<StreamWatch>();
  private readonly maxQueuedBytes: number;
  private nextId = 0n;
  private queuedBytes = 0;
  private over = false;
  private progressAsked = false;
  private progressTimer: NodeJS.Timeout | undefined;
  private retryTimer: NodeJS.Timeout | undefined;
  /** Requests are handled one after another, in their order. */
  private requests: Promise<void> = Promise.resolve();

  constructor(
    private readonly call: Call,
    private readonly parts: WatchStreamParts,
  ) {
    this.maxQueuedBytes = parts.options.maxQueuedBytes ?? defaultQueuedBytes;
  }

  start(): void {
    const { call } = this;
    this.parts.options.onCount?.({ streams: 1 });
    call.on('data', (message: WatchMessage) => {
      // A client that asks faster than it is answered is not read on.
      call.pause();
      this.requests = this.requests.then(async () => {
        try {
          if (!this.over) await this.handle(message);
        } catch (error) {
          this.stop();
          call.emit('error', toGrpcError(error));
        }
        this.readOn();
      });
    });
    call.on('end', () => {
      void this.requests.then(() => {
        if (this.over) return;
        this.stop();
        call.end();
      });
    });
    call.on('cancelled', () => this.stop());
    call.on('error', () => this.stop());
  }

  get store(): Store {
    return this.parts.context.store;
  }

  private readOn(): void {
    if (!this.over && this.queuedBytes <= this.maxQueuedBytes) this.call.resume();
  }

  private async handle(message: WatchMessage): Promise<void> {
    if (message.create_request) await this.create(message.create_request);
    else if (message.cancel_request) this.cancel(BigInt(message.cancel_request.watch_id));
    else if (message.request_union === 'progress_request') {
      this.progressAsked = true;
      this.tellProgress();
    }
  }

  private async create(request: WatchCreate): Promise<void> {
    const revision = this.store.revision();
    const refuse = (cancelReason: string, watchId = -1n) =>
      this.send({ watchId, revision, created: true, canceled: true, cancelReason });
    // An empty key stands for the smallest there is.
    const key = request.key.length === 0 ? '\0' : request.key.toString('latin1');
    const rangeEnd = request.range_end.toString('latin1') || undefined;
    try {
      await permit(this.parts.context, this.call, () => [{ kind: 'read', key, rangeEnd }]);
    } catch (error) {
      refuse(`rpc error: code = PermissionDenied desc = ${toGrpcError(error).details}`, BigInt(request.watch_id));
      return;
    }
    if (this.over) return;
    if (rangeEnd !== undefined && rangeEnd !== '\0' && key >= rangeEnd) return refuse('mvcc: watcher range is empty');
    const asked = BigInt(request.watch_id);
    if (asked !== 0n && this.watches.has(asked)) return refuse('mvcc: duplicate watch ID provided on the WatchStream');
    if (this.watches.size >= maxWatches) return refuse(etcdError('TooManyRequests').details);
    const watch = new StreamWatch({
      id: asked || this.freeId(),
      key,
      rangeEnd,
      next: Number(request.start_revision),
      prevKv: request.prev_kv,
      filters: request.filters,
      progressNotify: request.progress_notify,
      fragmentBytes: request.fragment ? this.parts.context.maxRequestBytes : undefined,
    });
    this.watches.set(watch.id, watch);
    this.parts.options.onCount?.({ watches: 1 });
    this.send({ watchId: watch.id, revision: this.store.revision(), created: true });
    if (watch.progressNotify) this.armProgress();
    this.open(watch);
  }

  private freeId(): bigint {
    while (this.watches.has(this.nextId)) this.nextId++;
    return this.nextId++;
  }

  private open(watch: StreamWatch): void {
    watch.open(this.store, {
      onFrame: (frame) => this.send(frame),
      onTold: () => {
        if (this.queuedBytes > this.maxQueuedBytes) this.park(watch);
      },
      onEnd: (frame) => {
        this.forget(watch);
        if (frame) this.send(frame);
        else this.fail();
      },
    });
  }

  private park(watch: StreamWatch): void {
    watch.close();
    this.parked.add(watch);
  }

  private cancel(id: bigint): void {
    const watch = this.watches.get(id);
    if (!watch) return;
    this.forget(watch);
    this.send({ watchId: id, revision: this.store.revision(), canceled: true });
  }

  private forget(watch: StreamWatch): void {
    watch.close();
    this.parked.delete(watch);
    if (this.watches.delete(watch.id)) this.parts.options.onCount?.({ watches: -1 });
  }

  /** The store is closing: the stream ends so that the client looks for another member. */
  private fail(): void {
    if (this.over) return;
    this.stop();
    this.call.emit('error', etcdError('Stopped'));
  }

  private send(frame: WatchFrame): void {
    if (this.over) return;
    const bytes = this.parts.encode.watch(frame);
    this.queuedBytes += bytes.length;
    this.call.write(bytes, () => {
      this.queuedBytes -= bytes.length;
      if (this.queuedBytes <= this.maxQueuedBytes / 2) this.unpark();
    });
  }

  private unpark(): void {
    if (this.over) return;
    for (const watch of this.parked) {
      if (this.queuedBytes > this.maxQueuedBytes) return;
      this.parked.delete(watch);
      this.open(watch);
    }
    if (this.call.isPaused()) void this.requests.then(() => this.readOn());
  }

  /** Answers a progress request: only once every watch of the stream has been told everything up to a revision. */
  private tellProgress(): void {
    if (this.over || !this.progressAsked) return;
    const revision = this.store.revision();
    const behind =
      this.parked.size > 0 || [...this.watches.values()].some((watch) => watch.toldUpTo(revision) < revision);
    if (!behind) {
      this.progressAsked = false;
      this.send({ watchId: -1n, revision });
      return;
    }
    this.retryTimer ??= setTimeout(() => {
      this.retryTimer = undefined;
      this.tellProgress();
    }, progressRetryMs).unref();
  }

  private armProgress(): void {
    this.progressTimer ??= setInterval(() => {
      const revision = this.store.revision();
      for (const watch of this.watches.values()) {
        if (!watch.progressNotify || this.parked.has(watch)) continue;
        // Events told since the last time are progress enough.
        if (!watch.takeSpoke() && watch.toldUpTo(revision) >= revision) this.send({ watchId: watch.id, revision });
      }
    }, this.parts.options.progressMs ?? defaultProgressMs).unref();
  }

  private stop(): void {
    if (this.over) return;
    this.over = true;
    clearInterval(this.progressTimer);
    clearTimeout(this.retryTimer);
    for (const watch of this.watches.values()) watch.close();
    this.parts.options.onCount?.({ watches: -this.watches.size, streams: -1 });
    this.watches.clear();
    this.parked.clear();
  }
}
