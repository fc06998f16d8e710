// Random histories against a model that remembers every revision as a whole map.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { silentLogger } from '../kit';
import { inRange } from './key-index';
import { LmdbDisk } from './lmdb-disk';
import { MvccStore } from './mvcc-store';
import type { KeyValue, Operation, Store, StoreEvent } from './store';

type Command =
  | { type: 'put'; key: string; value: string }
  | { type: 'delete'; key: string; rangeEnd?: string }
  | { type: 'swap'; key: string; expected: number; value: string; other: string }
  | { type: 'settle' }
  | { type: 'compact'; back: number }
  | { type: 'watch'; back: number; key: string; rangeEnd?: string; prevKv: boolean }
  | { type: 'reopen' };

const key = fc.constantFrom('a', 'ab', 'abc', 'b', 'b\0', 'c', '\xff');
const rangeEnd = fc.constantFrom(undefined, 'b', 'c', 'b\0', '\0', '\0');
const value = fc.string({ maxLength: 3 });
const command: fc.Arbitrary<Command> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ type: fc.constant('put' as const), key, value }) },
  { weight: 3, arbitrary: fc.record({ type: fc.constant('delete' as const), key, rangeEnd }) },
  {
    weight: 4,
    arbitrary: fc.record({ type: fc.constant('swap' as const), key, expected: fc.nat(3), value, other: key }),
  },
  { weight: 3, arbitrary: fc.constant({ type: 'settle' as const }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('compact' as const), back: fc.nat(3) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constant('watch' as const),
      back: fc.integer({ min: -2, max: 8 }),
      key,
      rangeEnd,
      prevKv: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ type: 'reopen' as const }) },
);

class Model {
  readonly states: Map<string, KeyValue>[] = [new Map(), new Map()];
  readonly events: StoreEvent[] = [];
  private writing: Map<string, KeyValue> | undefined;

  get revision(): number {
    return this.states.length - 1;
  }

  get now(): Map<string, KeyValue> {
    return this.writing ?? this.states[this.revision]!;
  }

  put(putKey: string, text: string): void {
    const next = this.begin();
    const before = next.get(putKey);
    const modRevision = this.states.length;
    const kv: KeyValue = {
      key: putKey,
      value: Buffer.from(text),
      createRevision: before?.createRevision ?? modRevision,
      modRevision,
      version: (before?.version ?? 0) + 1,
      lease: 0n,
    };
    next.set(putKey, kv);
    this.events.push(before ? { type: 'put', kv, prevKv: before } : { type: 'put', kv });
  }

  delete(start: string, end: string | undefined): number {
    const doomed = [...this.now.keys()].filter((name) => inRange(name, start, end)).sort();
    if (doomed.length === 0) return 0;
    const next = this.begin();
    const gone = { value: Buffer.alloc(0), createRevision: 0, modRevision: this.states.length, version: 0, lease: 0n };
    for (const name of doomed) {
      this.events.push({ type: 'delete', kv: { key: name, ...gone }, prevKv: next.get(name)! });
      next.delete(name);
    }
    return doomed.length;
  }

  end(): number {
    if (this.writing) this.states.push(this.writing);
    this.writing = undefined;
    return this.revision;
  }

  private begin(): Map<string, KeyValue> {
    this.writing ??= new Map(this.states[this.revision]);
    return this.writing;
  }
}

interface Watched {
  from: number;
  command: Extract<Command, { type: 'watch' }>;
  events: StoreEvent[];
  calls: number[][];
  /** The store's revision when a reopening ended the watch. */
  endedAt?: number;
}

class Run {
  readonly model = new Model();
  private readonly watches: Watched[] = [];
  private pending: Promise<unknown>[] = [];
  private store!: Store;

  constructor(private readonly directory: string) {}

  async open(): Promise<void> {
    const disk = new LmdbDisk(this.directory);
    // Small enough that catching up takes several chunks and most values are read from disk.
    this.store = await MvccStore.open({ disk, logger: silentLogger, catchUpRecords: 2, valueCacheBytes: 500 });
  }

  async perform(one: Command): Promise<void> {
    switch (one.type) {
      case 'put':
        this.model.put(one.key, one.value);
        this.expectLater(this.store.put({ key: one.key, value: Buffer.from(one.value) }), {
          revision: this.model.end(),
        });
        return;
      case 'delete': {
        const deleted = this.model.delete(one.key, one.rangeEnd);
        this.expectLater(this.store.deleteRange(one), { revision: this.model.end(), deleted });
        return;
      }
      case 'swap':
        return this.swap(one);
      case 'settle':
        return this.settle();
      case 'compact':
        return this.compact(one.back);
      case 'watch':
        return this.watch(one);
      case 'reopen':
        await this.settle();
        await this.store.close();
        await this.open();
    }
  }

  /** Settles everything and compares the whole of what can still be read. */
  async verify(): Promise<void> {
    await this.settle();
    const { model, store } = this;
    expect(store.revision()).toBe(model.revision);
    for (let revision = Math.max(1, store.compactRevision()); revision <= model.revision; revision++) {
      const expected = [...model.states[revision]!.values()].sort((a, b) => (a.key < b.key ? -1 : 1));
      expect((await store.range({ key: '\0', rangeEnd: '\0', revision })).kvs).toEqual(expected);
      const page = await store.range({ key: 'ab', rangeEnd: 'c', revision, limit: 1 });
      const inPage = expected.filter((kv) => inRange(kv.key, 'ab', 'c'));
      expect(page).toMatchObject({ kvs: inPage.slice(0, 1), count: inPage.length, more: inPage.length > 1 });
    }
    if (store.compactRevision() > 1) {
      const revision = store.compactRevision() - 1;
      await expect(store.range({ key: 'a', revision })).rejects.toMatchObject({ code: 'COMPACTED' });
    }
    // Turns of the event loop, until every watch that catches up has had its say.
    for (let turn = 0; turn < this.watches.length * 40 + 3; turn++) await new Promise(setImmediate);
    for (const watched of this.watches) this.verifyWatch(watched);
    await store.close();
  }

  private swap(one: Extract<Command, { type: 'swap' }>): void {
    const { model } = this;
    const succeeded = (model.now.get(one.key)?.version ?? 0) === one.expected;
    const failure: Operation[] = [{ type: 'delete', request: { key: one.other, rangeEnd: 'b' } }];
    const success: Operation[] = [{ type: 'put', request: { key: one.key, value: Buffer.from(one.value) } }];
    if (one.other !== one.key) success.push({ type: 'delete', request: { key: one.other } });
    if (succeeded) {
      model.put(one.key, one.value);
      if (one.other !== one.key) model.delete(one.other, undefined);
    } else model.delete(one.other, 'b');
    const compare = [{ key: one.key, target: 'version', operator: 'equal', operand: one.expected } as const];
    this.expectLater(this.store.txn({ compare, success, failure }), { succeeded, revision: model.end() });
  }

  private async compact(back: number): Promise<void> {
    await this.settle();
    const revision = this.model.revision - back;
    if (revision <= this.store.compactRevision()) return;
    this.pending.push(this.store.compact(revision));
  }

  private async watch(one: Extract<Command, { type: 'watch' }>): Promise<void> {
    await this.settle();
    const from = this.model.revision - one.back;
    if (from < Math.max(2, this.store.compactRevision())) return;
    const watched: Watched = { from, command: one, events: [], calls: [] };
    this.watches.push(watched);
    this.store.watch(
      { key: one.key, rangeEnd: one.rangeEnd, prevKv: one.prevKv, startRevision: from },
      {
        onEvents(events) {
          watched.events.push(...events);
          watched.calls.push([...new Set(events.map(({ kv }) => kv.modRevision))]);
        },
        onEnd: () => {
          watched.endedAt = this.model.revision;
        },
      },
    );
  }

  private verifyWatch({ from, command: { key: start, rangeEnd: end, prevKv }, ...watched }: Watched): void {
    const expected = this.model.events.filter(
      ({ kv }) =>
        kv.modRevision >= from && kv.modRevision <= (watched.endedAt ?? Infinity) && inRange(kv.key, start, end),
    );
    const revisions = watched.calls.flat();
    expect(new Set(revisions).size, 'a revision is told in one call').toBe(revisions.length);
    // A watch ended before it caught up has told a beginning of its history; any other all of it.
    const complete = watched.endedAt === undefined;
    if (complete) expect(watched.events.length).toBe(expected.length);
    watched.events.forEach((event, i) => {
      const { prevKv: previous, ...plain } = expected[i]!;
      const { prevKv: toldPrevious, ...told } = event;
      expect(told).toEqual(plain);
      // Of a change at or before the last compaction the previous value may be gone.
      const mayLack = toldPrevious === undefined && this.store.compactRevision() >= event.kv.modRevision;
      if (prevKv && !mayLack) expect(toldPrevious).toEqual(previous);
      if (!prevKv) expect(toldPrevious).toBeUndefined();
    });
  }

  private expectLater(promise: Promise<unknown>, expected: object): void {
    this.pending.push(promise.then((result) => expect(result).toMatchObject(expected)));
  }

  private async settle(): Promise<void> {
    const { pending } = this;
    this.pending = [];
    await Promise.all(pending);
  }
}

it('agrees with a model over random histories, compactions, watches and restarts', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(command, { minLength: 20, maxLength: 80, size: 'max' }), async (commands) => {
      const directory = await mkdtemp(join(tmpdir(), 'pilothouse-store-'));
      try {
        const run = new Run(directory);
        await run.open();
        for (const one of commands) await run.perform(one);
        await run.verify();
      } finally {
        await rm(directory, { recursive: true, force: true });
      }
    }),
    { numRuns: 100 },
  );
});
