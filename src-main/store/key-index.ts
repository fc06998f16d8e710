// The key index: every key with its versions, in memory, sorted by key. It is etcd's treeIndex in another shape: a map
// for point look-ups beside a list of sorted runs for ranges, which keeps inserting cheap up to millions of keys.
//
// Invariants: a key's versions ascend by main revision, at most one a main revision; an entry has at least one version;
// the runs concatenated are strictly ascending by key. The index may be ahead of what is committed: readers pass the
// revision they read at and newer versions do not exist for them.

import type { Key } from './store';

export interface Version {
  main: number;
  sub: number;
  create: number;
  /** Count of puts since creation; 0 for a tombstone. */
  version: number;
  lease: bigint;
  tombstone: boolean;
  /** The value while it is not yet on disk, or as long as the value cache holds it. */
  value: Buffer | undefined;
}

export interface KeyEntry {
  readonly key: Key;
  readonly versions: Version[];
}

const longestRun = 1024;

/** Whether `key` lies in the etcd range [start, end); no end = the one key, "\0" = no upper bound. */
export function inRange(key: Key, start: Key, end: Key | undefined): boolean {
  if (!end) return key === start;
  return key >= start && (end === '\0' || key < end);
}

/** The newest version at or before `revision`, tombstones included. */
export function versionAt(entry: KeyEntry, revision: number): Version | undefined {
  const { versions } = entry;
  const newest = versions[versions.length - 1]!;
  return newest.main <= revision ? newest : versions[countUpTo(versions, revision) - 1];
}

/** How many of the versions are at or before `revision`. */
export function countUpTo(versions: readonly Version[], revision: number): number {
  let low = 0;
  let high = versions.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (versions[middle]!.main <= revision) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The version a reader at `revision` sees: undefined when the key does not exist then. */
export function liveAt(entry: KeyEntry, revision: number): Version | undefined {
  const version = versionAt(entry, revision);
  return version?.tombstone ? undefined : version;
}

/**
 * Forgets what compaction at `revision` supersedes and answers it, oldest first. Kept are all newer versions and the
 * newest at or before `revision`, unless that is a tombstone older than `revision`. (A tombstone made by `revision`
 * itself stays until the next compaction, so that a watch from exactly there misses nothing.)
 */
export function pruneVersions(entry: KeyEntry, revision: number): Version[] {
  const { versions } = entry;
  let keep = countUpTo(versions, revision);
  if (keep === 0) return [];
  const newest = versions[keep - 1]!;
  if (!newest.tombstone || newest.main === revision) keep--;
  return versions.splice(0, keep);
}

export class KeyIndex {
  private entries = new Map<Key, KeyEntry>();
  private runs: KeyEntry[][] = [];

  get size(): number {
    return this.entries.size;
  }

  get(key: Key): KeyEntry | undefined {
    return this.entries.get(key);
  }

  /** Fills an empty index in one go; the map is the index's from then on. */
  load(entries: Map<Key, KeyEntry>): void {
    const sorted = [...entries.values()].sort((a, b) => (a.key < b.key ? -1 : 1));
    this.entries = entries;
    for (let i = 0; i < sorted.length; i += longestRun / 2) this.runs.push(sorted.slice(i, i + longestRun / 2));
  }

  /** Adds a version, newest of its key, and answers the entry. */
  add(key: Key, version: Version): KeyEntry {
    const present = this.entries.get(key);
    if (present) {
      present.versions.push(version);
      return present;
    }
    const entry: KeyEntry = { key, versions: [version] };
    this.entries.set(key, entry);
    this.insert(entry);
    return entry;
  }

  /** Takes back the newest version of a key. */
  removeNewest(entry: KeyEntry): void {
    entry.versions.pop();
    if (entry.versions.length === 0) this.remove(entry);
  }

  remove(entry: KeyEntry): void {
    if (!this.entries.delete(entry.key)) return;
    const runAt = this.runFor(entry.key);
    const run = this.runs[runAt]!;
    run.splice(positionIn(run, entry.key), 1);
    if (run.length === 0) this.runs.splice(runAt, 1);
  }

  /** Visits the entries of an etcd range in key order until the visitor answers false. Do not change the index inside. */
  visit(start: Key, end: Key | undefined, visitor: (entry: KeyEntry) => boolean | void): void {
    if (!end) {
      const entry = this.entries.get(start);
      if (entry) visitor(entry);
      return;
    }
    const unbounded = end === '\0';
    let runAt = this.runFor(start);
    let position = runAt < this.runs.length ? positionIn(this.runs[runAt]!, start) : 0;
    for (; runAt < this.runs.length; runAt++, position = 0) {
      const run = this.runs[runAt]!;
      for (; position < run.length; position++) {
        const entry = run[position]!;
        if (!unbounded && entry.key >= end) return;
        if (visitor(entry) === false) return;
      }
    }
  }

  /** Up to `count` entries with keys strictly after `key` (all keys when undefined), for walks that pause. */
  after(key: Key | undefined, count: number): KeyEntry[] {
    const found: KeyEntry[] = [];
    this.visit(key ?? '', '\0', (entry) => {
      if (entry.key !== key) found.push(entry);
      return found.length < count;
    });
    return found;
  }

  private insert(entry: KeyEntry): void {
    if (this.runs.length === 0) {
      this.runs.push([entry]);
      return;
    }
    const runAt = Math.min(this.runFor(entry.key), this.runs.length - 1);
    const run = this.runs[runAt]!;
    run.splice(positionIn(run, entry.key), 0, entry);
    if (run.length <= longestRun) return;
    // Ascending inserts (timestamps, counters) leave full runs behind instead of half-empty ones.
    const ascending = run[run.length - 1] === entry && runAt === this.runs.length - 1;
    this.runs.splice(runAt + 1, 0, run.splice(ascending ? longestRun - 1 : longestRun / 2));
  }

  /** The first run whose last key is at or after `key`; the number of runs when there is none. */
  private runFor(key: Key): number {
    let low = 0;
    let high = this.runs.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const run = this.runs[middle]!;
      if (run[run.length - 1]!.key < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** The position of the first entry at or after `key`. */
function positionIn(run: readonly KeyEntry[], key: Key): number {
  let low = 0;
  let high = run.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (run[middle]!.key < key) low = middle + 1;
    else high = middle;
  }
  return low;
}
