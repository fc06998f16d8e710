// All objects of one kind as of the hub's revision, ordered by key, and the recent changes. Invariants: entries are
// frozen; `entries` and `byKey` hold the same entries; every change after `oldestRevision` is still in the ring, so a
// watch may start at any revision from there on.

import { prefixEnd } from '../../store';
import { expired } from '../status/errors';
import type { Codec, Entry } from '../registry/codec';
import { EventRing } from './event-ring';

export interface CacheEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  /** After the change; of a deletion: the last state at the deletion's revision. */
  readonly entry: Entry;
  /** Before the change. */
  readonly previous: Entry | undefined;
  readonly revision: number;
}

export interface CacheListener {
  onEvent(event: CacheEvent): void;
  /** The cache had to be filled anew: what the listener knows is stale and nothing more will come. */
  onReset(): void;
}

export interface ListRange {
  /** Key prefix: the kind's, or the kind's and a namespace. */
  prefix: string;
  /** Keys after this one only. */
  after?: string;
}

interface Change {
  key: string;
  value: Buffer | undefined;
  revision: number;
}

const defaultRingCapacity = 8192;

export class WatchCache {
  private entries: Entry[] = [];
  private byKey = new Map<string, Entry>();
  private readonly ring: EventRing<CacheEvent>;
  private readonly listeners = new Set<CacheListener>();
  /** Objects a writer has just stored, by key: spares the cache parsing the bytes it is about to see. */
  private readonly expected = new Map<string, { value: Buffer; object: Entry['object'] }>();
  /** Revision of the last change of this kind, or that of the fill. */
  private changed = 0;

  constructor(
    readonly prefix: string,
    private readonly codec: Codec,
    options: { ringCapacity?: number } = {},
  ) {
    this.ring = new EventRing(options.ringCapacity ?? defaultRingCapacity);
  }

  get size(): number {
    return this.entries.length;
  }

  get watchers(): number {
    return this.listeners.size;
  }

  /** Revision of the last change of this kind. */
  get lastChange(): number {
    return this.changed;
  }

  /**
   * Fills the cache with the state at a revision; those who watched are told to start over. Answers the keys whose
   * values are no objects, which are left out.
   */
  load(stored: { key: string; value: Buffer; revision: number }[], revision: number): string[] {
    const unreadable: string[] = [];
    const entries: Entry[] = [];
    for (const item of stored) {
      const entry = this.read(item);
      if (entry) entries.push(entry);
      else unreadable.push(item.key);
    }
    this.entries = entries.sort((a, b) => (a.key < b.key ? -1 : 1));
    this.byKey = new Map(this.entries.map((entry) => [entry.key, entry]));
    this.ring.reset(revision);
    this.changed = revision;
    const listeners = [...this.listeners];
    this.listeners.clear();
    for (const listener of listeners) listener.onReset();
    return unreadable;
  }

  private read(item: { key: string; value: Buffer; revision: number }): Entry | undefined {
    try {
      return this.codec.entry(item);
    } catch (error) {
      if (error instanceof SyntaxError || error instanceof TypeError) return undefined;
      throw error;
    }
  }

  /** Tells the cache what object the bytes of the next write of a key stand for. */
  expect(key: string, value: Buffer, object: Entry['object']): void {
    this.expected.set(key, { value, object });
  }

  /** Takes back an expectation, unless a later write has replaced it. */
  forget(key: string, value: Buffer): void {
    if (this.expected.get(key)?.value === value) this.expected.delete(key);
  }

  /** Takes one change from the store's watch. Changes come in order of revision. */
  apply(change: Change): void {
    const previous = this.byKey.get(change.key);
    const event = change.value ? this.put(change, change.value, previous) : this.remove(change, previous);
    if (!event) return;
    this.changed = change.revision;
    this.ring.push(event);
    for (const listener of this.listeners) listener.onEvent(event);
  }

  get(key: string): Entry | undefined {
    return this.byKey.get(key);
  }

  /** The entries of a range, in order of key, as they are now: later changes do not show. */
  list(range: ListRange): readonly Entry[] {
    if (range.prefix === this.prefix && range.after === undefined) return this.entries.slice();
    const from = range.after === undefined ? this.indexOf(range.prefix) : this.indexAfter(range.after);
    return this.entries.slice(from, this.indexOf(prefixEnd(range.prefix)));
  }

  /** Changes after `revision`; throws 410 when some of them are forgotten. */
  since(revision: number): CacheEvent[] {
    const { oldestRevision } = this.ring;
    if (revision < oldestRevision) throw expired(`too old resource version: ${revision} (${oldestRevision})`);
    return this.ring.after(revision);
  }

  listen(listener: CacheListener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  private put(change: Change, value: Buffer, previous: Entry | undefined): CacheEvent {
    const expected = this.expected.get(change.key);
    const known = expected && expected.value.equals(value) ? expected.object : undefined;
    if (known) this.expected.delete(change.key);
    const entry = this.codec.entry({ key: change.key, value, revision: change.revision }, known);
    this.byKey.set(change.key, entry);
    const at = this.indexOf(change.key);
    if (previous) this.entries[at] = entry;
    else if (at === this.entries.length) this.entries.push(entry);
    else this.entries.splice(at, 0, entry);
    return { type: previous ? 'MODIFIED' : 'ADDED', entry, previous, revision: change.revision };
  }

  private remove(change: Change, previous: Entry | undefined): CacheEvent | undefined {
    if (!previous) return undefined;
    this.byKey.delete(change.key);
    this.entries.splice(this.indexOf(change.key), 1);
    const entry = this.codec.atRevision(previous, change.revision);
    return { type: 'DELETED', entry, previous, revision: change.revision };
  }

  /** Index of the first entry whose key is not before `key`. */
  private indexOf(key: string): number {
    let low = 0;
    let high = this.entries.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.entries[middle]!.key < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  private indexAfter(key: string): number {
    const at = this.indexOf(key);
    return this.entries[at]?.key === key ? at + 1 : at;
  }
}
