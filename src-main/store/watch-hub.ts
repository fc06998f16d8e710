// The watches. One that starts in the past first catches up from disk, a chunk of whole revisions a turn of the event
// loop, so that neither commits nor other watches wait for it; in the turn in which it reaches the committed revision
// it goes live, and from then on it is told of each commit. As commits are published in one synchronous step there is
// no moment between the two in which an event could be missed or told twice.

import { type Logger, messageOf } from '../kit';
import type { Change, MvccState } from './batch';
import { inRange, liveAt, type Version } from './key-index';
import { toKeyValue } from './range-read';
import { decodeHeader, recordKey, recordValue } from './record-codec';
import type { Key, KeyValue, StoreEvent, Watch, WatchListener, WatchRequest } from './store';
import { StoreError } from './store-error';

interface Watcher {
  readonly request: WatchRequest;
  readonly listener: WatchListener;
  /** The first revision not told yet. */
  next: number;
}

/** Watchers of one range: each event is compared with a range once, however many watch it. */
interface RangeGroup {
  start: Key;
  end: Key;
  watchers: Set<Watcher>;
}

const noBytes = Buffer.alloc(0);
export interface WatchHubOptions {
  state: MvccState;
  logger: Logger;
  /** Records read in one go for one watch that catches up. */
  catchUpRecords?: number;
}

const defaultCatchUpRecords = 500;

/** A watch that also knows up to which revision everything has been told. */
export interface ProgressWatch extends Watch {
  progress(): number;
}

export class WatchHub {
  private readonly byKey = new Map<Key, Set<Watcher>>();
  private readonly byRange = new Map<string, RangeGroup>();
  private readonly catchingUp = new Set<Watcher>();
  private pumping = false;
  private closed = false;

  private readonly state: MvccState;
  private readonly logger: Logger;
  private readonly catchUpRecords: number;

  constructor(options: WatchHubOptions) {
    this.state = options.state;
    this.logger = options.logger;
    this.catchUpRecords = options.catchUpRecords ?? defaultCatchUpRecords;
  }

  /** Never calls the listener before it returns. */
  watch(request: WatchRequest, listener: WatchListener): ProgressWatch {
    const next = request.startRevision || this.state.committed + 1;
    const watcher: Watcher = { request, listener, next };
    if (next > this.state.committed) this.goLive(watcher);
    else {
      this.catchingUp.add(watcher);
      this.pump();
    }
    return {
      cancel: () => this.forget(watcher),
      progress: () => (this.catchingUp.has(watcher) ? watcher.next - 1 : this.state.committed),
    };
  }

  /** Tells the live watches of a commit; `revision` is the last one in it. */
  publish(changes: readonly Change[], revision: number): void {
    if (this.byKey.size === 0 && this.byRange.size === 0) return;
    const told = new Map<Watcher, StoreEvent[]>();
    for (const change of changes) {
      const events = new EventPair(this.state, change);
      this.collect(this.byKey.get(change.entry.key), events, told);
      for (const group of this.byRange.values()) {
        if (inRange(change.entry.key, group.start, group.end)) this.collect(group.watchers, events, told);
      }
    }
    for (const [watcher, events] of told) {
      // An earlier listener may have cancelled this watch.
      if (!this.isLive(watcher)) continue;
      watcher.next = revision + 1;
      this.tell(watcher, events, revision);
    }
  }

  /** Ends every watch with STORE_CLOSED. */
  close(): void {
    this.closed = true;
    const groups = [...this.byKey.values(), ...[...this.byRange.values()].map((group) => group.watchers)];
    const all = [...this.catchingUp, ...groups.flatMap((watchers) => [...watchers])];
    for (const watcher of all) this.end(watcher, new StoreError('STORE_CLOSED'));
  }

  private collect(watchers: Set<Watcher> | undefined, events: EventPair, told: Map<Watcher, StoreEvent[]>): void {
    if (!watchers) return;
    for (const watcher of watchers) {
      if (events.revision < watcher.next) continue;
      const event = events.of(watcher.request);
      const list = told.get(watcher);
      if (list) list.push(event);
      else told.set(watcher, [event]);
    }
  }

  private tell(watcher: Watcher, events: StoreEvent[], revision: number): void {
    try {
      watcher.listener.onEvents(events, revision);
    } catch (error) {
      this.logger.error('watch listener failed', { key: watcher.request.key, error: messageOf(error) });
    }
  }

  private end(watcher: Watcher, error: Error): void {
    this.forget(watcher);
    try {
      watcher.listener.onEnd(error);
    } catch (failure) {
      this.logger.error('watch listener failed at its end', { key: watcher.request.key, error: messageOf(failure) });
    }
  }

  private goLive(watcher: Watcher): void {
    const { key, rangeEnd } = watcher.request;
    if (!rangeEnd) {
      const watchers = this.byKey.get(key);
      if (watchers) watchers.add(watcher);
      else this.byKey.set(key, new Set([watcher]));
      return;
    }
    const name = groupName(key, rangeEnd);
    const group = this.byRange.get(name);
    if (group) group.watchers.add(watcher);
    else this.byRange.set(name, { start: key, end: rangeEnd, watchers: new Set([watcher]) });
  }

  private isLive(watcher: Watcher): boolean {
    const { key, rangeEnd } = watcher.request;
    const watchers = rangeEnd ? this.byRange.get(groupName(key, rangeEnd))?.watchers : this.byKey.get(key);
    return watchers?.has(watcher) ?? false;
  }

  private forget(watcher: Watcher): void {
    this.catchingUp.delete(watcher);
    const { key, rangeEnd } = watcher.request;
    const watchers = rangeEnd ? this.byRange.get(groupName(key, rangeEnd))?.watchers : this.byKey.get(key);
    if (!watchers?.delete(watcher) || watchers.size > 0) return;
    if (rangeEnd) this.byRange.delete(groupName(key, rangeEnd));
    else this.byKey.delete(key);
  }

  private pump(): void {
    if (this.pumping) return;
    this.pumping = true;
    setImmediate(() => {
      this.pumping = false;
      // One watch a turn, the one that waited longest, so that a crowd of them cannot hold up commits either.
      const [watcher] = this.catchingUp;
      if (!watcher || this.closed) return;
      this.catchingUp.delete(watcher);
      this.catchUp(watcher);
      if (this.catchingUp.size > 0) this.pump();
    });
  }

  /** Tells one chunk; puts the watcher live when that reached the committed revision, else back at the end of the line. */
  private catchUp(watcher: Watcher): void {
    const { committed, compacted } = this.state;
    if (watcher.next < compacted) {
      this.end(watcher, new StoreError('COMPACTED', { details: { revision: watcher.next, compacted } }));
      return;
    }
    let chunk: { events: StoreEvent[]; upTo: number };
    try {
      chunk = this.history(watcher, committed);
    } catch (error) {
      this.end(watcher, new StoreError('DISK_FAILURE', { cause: error }));
      return;
    }
    watcher.next = chunk.upTo + 1;
    // Registered before the listener speaks, so that a cancel from inside the listener finds it.
    if (chunk.upTo >= committed) this.goLive(watcher);
    else this.catchingUp.add(watcher);
    if (chunk.events.length > 0) this.tell(watcher, chunk.events, chunk.upTo);
  }

  /** Whole revisions from the watcher's next one on. */
  private history(watcher: Watcher, committed: number): { events: StoreEvent[]; upTo: number } {
    const { request, next } = watcher;
    const events: StoreEvent[] = [];
    let seen = 0;
    let last = 0;
    let upTo = committed;
    this.state.disk.scan(next, committed, (main, _sub, record) => {
      if (main !== last && seen >= this.catchUpRecords) {
        upTo = last;
        return false;
      }
      last = main;
      seen++;
      if (inRange(recordKey(record), request.key, request.rangeEnd)) events.push(this.pastEvent(request, main, record));
      return true;
    });
    return { events, upTo };
  }

  private pastEvent(request: WatchRequest, main: number, record: Buffer): StoreEvent {
    const header = decodeHeader(record);
    const event: StoreEvent = header.tombstone
      ? deletion(header.key, main)
      : {
          type: 'put',
          kv: {
            key: header.key,
            value: recordValue(record),
            createRevision: header.create,
            modRevision: main,
            version: header.version,
            lease: header.lease,
          },
        };
    const prevKv = request.prevKv ? this.valueBefore(header.key, main) : undefined;
    return prevKv ? { ...event, prevKv } : event;
  }

  /** The key-value before a past change; undefined when it did not exist or is compacted. */
  private valueBefore(key: Key, main: number): KeyValue | undefined {
    const entry = this.state.index.get(key);
    const previous = entry && liveAt(entry, main - 1);
    return entry && previous && toKeyValue(entry, previous, this.state.valueOf(previous));
  }
}

/** The two forms of one event, each made when first asked for and then shared by all watchers. */
class EventPair {
  readonly revision: number;
  private plain: StoreEvent | undefined;
  private withPrevious: StoreEvent | undefined;

  constructor(
    private readonly state: MvccState,
    private readonly change: Change,
  ) {
    this.revision = change.version.main;
  }

  of(request: WatchRequest): StoreEvent {
    return request.prevKv ? (this.withPrevious ??= this.makeWithPrevious()) : (this.plain ??= this.make());
  }

  private make(): StoreEvent {
    const { entry, version } = this.change;
    if (version.tombstone) return deletion(entry.key, version.main);
    return { type: 'put', kv: this.keyValue(version) };
  }

  private makeWithPrevious(): StoreEvent {
    const { previous } = this.change;
    const event = (this.plain ??= this.make());
    return previous ? { ...event, prevKv: this.keyValue(previous) } : event;
  }

  private keyValue(version: Version): KeyValue {
    return toKeyValue(this.change.entry, version, this.state.valueOf(version));
  }
}

function deletion(key: Key, revision: number): StoreEvent {
  return {
    type: 'delete',
    kv: { key, value: noBytes, createRevision: 0, modRevision: revision, version: 0, lease: 0n },
  };
}

function groupName(start: Key, end: Key): string {
  return `${start.length}:${start}${end}`;
}
