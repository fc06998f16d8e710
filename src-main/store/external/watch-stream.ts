// All watches of a store over one stream to one member. When the stream breaks it is opened anew, to the next member,
// and every watch goes on after the last revision its listener was told: etcd keeps the history, so nothing is missed,
// and what comes twice is dropped. etcd answers whole revisions, in fragments when they are large; fragments are put
// together before the listener hears of them.

import type { ClientDuplexStream } from '@grpc/grpc-js';
import { type Logger, messageOf } from '../../kit';
import { services } from '../etcd';
import type { StoreEvent, Watch, WatchListener, WatchRequest } from '../store';
import { StoreError } from '../store-error';
import { failureOf, refusal } from './failure';
import type { Member, Members } from './members';
import { type Answer, revisionOf, type Wire, type WireEvent } from './wire';

interface WatchResponse extends Answer {
  watch_id: string;
  created: boolean;
  canceled: boolean;
  compact_revision: string;
  cancel_reason: string;
  fragment: boolean;
  events: WireEvent[];
}

type Stream = ClientDuplexStream<object, WatchResponse>;

interface Watcher {
  readonly id: number;
  readonly request: WatchRequest;
  readonly listener: WatchListener;
  /** The watch is for everything in our key space: it sees all of etcd, so that its revision is etcd's own. */
  readonly whole: boolean;
  /** Everything up to here has been told. */
  told: number;
  /** Where to go on after a break; progress notices move it on while nothing happens. */
  next: number;
  fragments: WireEvent[];
}

export interface WatchStreamOptions {
  members: Members;
  wire: Wire;
  logger: Logger;
  /** Hears every revision the stream tells of. */
  onRevision(revision: number): void;
  onCompacted(revision: number): void;
}

export class WatchStream {
  private readonly watchers = new Map<number, Watcher>();
  private stream: Stream | undefined;
  private opening = false;
  private failures = 0;
  private lastId = 0;

  constructor(private readonly options: WatchStreamOptions) {}

  /** Never calls the listener before it returns. `from` is the first revision to tell. */
  watch(request: WatchRequest, from: number, listener: WatchListener): Watch {
    const id = ++this.lastId;
    const whole = request.key === '\0' && request.rangeEnd === '\0';
    const watcher: Watcher = { id, request, listener, whole, told: from - 1, next: from, fragments: [] };
    this.watchers.set(id, watcher);
    if (this.stream) this.stream.write(this.createRequest(watcher));
    else void this.open();
    return { cancel: () => this.cancel(watcher) };
  }

  /** Ends every watch with STORE_CLOSED. */
  close(): void {
    const { stream } = this;
    this.stream = undefined;
    stream?.cancel();
    for (const watcher of this.watchers.values()) this.end(watcher, new StoreError('STORE_CLOSED'));
  }

  private cancel({ id }: Watcher): void {
    if (this.watchers.delete(id)) this.stream?.write({ cancel_request: { watch_id: id } });
  }

  /** Opens the stream, trying until it stands, the store closes or nobody watches any more. */
  private async open(): Promise<void> {
    if (this.opening || this.stream) return;
    this.opening = true;
    const { members, logger } = this.options;
    while (!members.closed && this.watchers.size > 0 && !this.stream) {
      try {
        if (this.failures > 0) await members.pause(this.failures);
        const member = await members.ready();
        const metadata = await members.metadata(member);
        if (members.closed) break;
        const { path, requestSerialize, responseDeserialize } = services.watch['Watch']!;
        const stream: Stream = member.client.makeBidiStreamRequest(
          path,
          requestSerialize,
          responseDeserialize,
          metadata,
        );
        this.use(stream, member);
      } catch (error) {
        this.failures++;
        if (!members.closed) logger.warn('the watch on etcd could not be opened', { reason: messageOf(error) });
      }
    }
    this.opening = false;
  }

  private use(stream: Stream, member: Member): void {
    this.stream = stream;
    stream.on('data', (response: WatchResponse) => {
      if (this.stream !== stream) return;
      this.failures = 0;
      this.take(response);
    });
    stream.on('error', (error) => this.broken(stream, member, error));
    stream.on('end', () => this.broken(stream, member, undefined));
    for (const watcher of this.watchers.values()) {
      watcher.fragments = [];
      stream.write(this.createRequest(watcher));
    }
  }

  private broken(stream: Stream, member: Member, error: Error | undefined): void {
    if (this.stream !== stream) return;
    this.stream = undefined;
    stream.cancel();
    const failure = failureOf(error ?? new Error('the stream ended'));
    const reason = 'reason' in failure ? failure.reason : failure.kind === 'token' ? 'token' : failure.error.hint;
    this.options.logger.info('the watch on etcd broke off and goes on', { endpoint: member.endpoint, reason });
    if (failure.kind === 'token') this.options.members.forgetToken();
    else this.options.members.leave(member, reason ?? failure.kind);
    this.failures++;
    void this.open();
  }

  private createRequest({ id, request, whole, next }: Watcher): object {
    const { keys } = this.options.wire;
    const range = whole ? everything : { key: keys.key(request.key), range_end: keys.end(request.rangeEnd) };
    const create = { ...range, start_revision: next, prev_kv: request.prevKv ?? false, watch_id: id };
    return { create_request: { ...create, progress_notify: true, fragment: true } };
  }

  private take(response: WatchResponse): void {
    const { onRevision, onCompacted } = this.options;
    const compacted = Number(response.compact_revision);
    if (compacted > 0) onCompacted(compacted);
    const watcher = this.watchers.get(Number(response.watch_id));
    if (!watcher) return;
    if (response.canceled) return this.cancelled(watcher, { compacted, reason: response.cancel_reason });
    if (response.created) return onRevision(revisionOf(response));
    if (response.fragment) watcher.fragments.push(...response.events);
    else if (watcher.fragments.length > 0) {
      const events = [...watcher.fragments, ...response.events];
      watcher.fragments = [];
      this.tell(watcher, events);
    } else if (response.events.length > 0) this.tell(watcher, response.events);
    else watcher.next = Math.max(watcher.next, revisionOf(response) + 1);
    // Only now: who waits for the revision finds that the listeners have heard of it.
    onRevision(revisionOf(response));
  }

  private cancelled(watcher: Watcher, { compacted, reason }: { compacted: number; reason: string }): void {
    const revision = watcher.next;
    if (compacted > 0) this.end(watcher, new StoreError('COMPACTED', { details: { revision, compacted } }));
    else this.end(watcher, refusal(reason || 'the watch was cancelled'));
  }

  private tell(watcher: Watcher, wireEvents: readonly WireEvent[]): void {
    const { wire, logger } = this.options;
    const last = Number(wireEvents.at(-1)!.kv.mod_revision);
    if (last <= watcher.told) return;
    const events: StoreEvent[] = [];
    for (const event of wireEvents) {
      if (Number(event.kv.mod_revision) <= watcher.told) continue;
      if (!watcher.whole || wire.keys.has(event.kv.key)) events.push(wire.event(event));
    }
    watcher.told = last;
    watcher.next = Math.max(watcher.next, last + 1);
    try {
      watcher.listener.onEvents(events, last);
    } catch (error) {
      logger.error('watch listener failed', { key: watcher.request.key, error: messageOf(error) });
    }
  }

  private end(watcher: Watcher, error: Error): void {
    this.watchers.delete(watcher.id);
    try {
      watcher.listener.onEnd(error);
    } catch (failure) {
      this.options.logger.error('watch listener failed at its end', { error: messageOf(failure) });
    }
  }
}

const everything = { key: Buffer.from([0]), range_end: Buffer.from([0]) };
