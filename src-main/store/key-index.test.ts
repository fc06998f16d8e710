import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { inRange, KeyIndex, liveAt, pruneVersions, type Version, versionAt } from './key-index';

const version = (main: number, tombstone = false): Version => ({
  main,
  sub: 0,
  create: main,
  version: 1,
  lease: 0n,
  tombstone,
  value: undefined,
});

/** "2 5 8x" = puts at 2 and 5, a deletion at 8. */
const versions = (drawn: string) =>
  drawn
    .split(' ')
    .filter(Boolean)
    .map((one) => version(Number.parseInt(one, 10), one.endsWith('x')));
const drawn = (list: readonly Version[]) =>
  list.map(({ main, tombstone }) => `${main}${tombstone ? 'x' : ''}`).join(' ');

describe('versions of a key', () => {
  it.each([
    [1, undefined, undefined],
    [2, 2, 2],
    [4, 2, 2],
    [5, 5, undefined],
    [7, 5, undefined],
    [8, 8, 8],
    [100, 8, 8],
  ])('at revision %i the newest is %s and the live one %s', (at, newest, live) => {
    const entry = { key: 'a', versions: versions('2 5x 8') };
    expect(versionAt(entry, at)?.main).toBe(newest);
    expect(liveAt(entry, at)?.main).toBe(live);
  });

  it.each([
    ['2 5 8', 1, '', '2 5 8'],
    ['2 5 8', 2, '', '2 5 8'],
    ['2 5 8', 5, '2', '5 8'],
    ['2 5 8', 7, '2', '5 8'],
    ['2 5 8', 9, '2 5', '8'],
    ['2 5x 8', 5, '2', '5x 8'],
    ['2 5x 8', 6, '2 5x', '8'],
    ['2 5x', 6, '2 5x', ''],
    ['2 5x', 4, '', '2 5x'],
    ['2x', 2, '', '2x'],
  ])('of %s compaction at %i forgets "%s" and keeps "%s"', (before, revision, forgotten, kept) => {
    const entry = { key: 'a', versions: versions(before) };
    expect(drawn(pruneVersions(entry, revision))).toBe(forgotten);
    expect(drawn(entry.versions)).toBe(kept);
  });
});

describe('ranges', () => {
  it.each([
    ['a', 'a', undefined, true],
    ['a\0', 'a', undefined, false],
    ['a', 'a', 'b', true],
    ['b', 'a', 'b', false],
    ['\xff\xff', 'b', '\0', true],
    ['a', 'b', '\0', false],
  ])('%j in [%j, %j) is %s', (key, start, end, expected) => expect(inRange(key, start, end)).toBe(expected));
});

describe('the index', () => {
  const visited = (index: KeyIndex, start: string, end: string | undefined) => {
    const keys: string[] = [];
    index.visit(start, end, (entry) => void keys.push(entry.key));
    return keys;
  };

  it('visits what a sorted set would, through inserts and removals of thousands of keys', () => {
    const key = fc.integer({ min: 0, max: 9999 }).map((n) => `k${n}`);
    const step = fc.oneof(
      { weight: 3, arbitrary: fc.tuple(fc.constant('add'), key) },
      fc.tuple(fc.constant('drop'), key),
    );
    fc.assert(
      fc.property(fc.array(step, { size: 'max', maxLength: 5000 }), key, key, (steps, start, end) => {
        const index = new KeyIndex();
        const model = new Set<string>();
        for (let i = 0; i < 3000; i++) {
          index.add(`k${i * 3}`, version(2));
          model.add(`k${i * 3}`);
        }
        for (const [action, name] of steps) {
          const entry = index.get(name!);
          expect(entry !== undefined).toBe(model.has(name!));
          if (action === 'drop' && entry) {
            index.remove(entry);
            model.delete(name!);
          } else if (action === 'add' && !entry) {
            index.add(name!, version(2));
            model.add(name!);
          }
        }
        const expected = [...model].sort();
        expect(visited(index, '', '\0')).toEqual(expected);
        expect(visited(index, start, end)).toEqual(expected.filter((name) => name >= start && name < end));
        expect(index.size).toBe(model.size);
      }),
      { numRuns: 20 },
    );
  });

  it('loads in one go what it would have been given one by one', () => {
    const names = Array.from({ length: 2000 }, (_, i) => `k${(i * 7919) % 2000}`);
    const index = new KeyIndex();
    index.load(new Map(names.map((key) => [key, { key, versions: [version(2)] }])));
    expect(visited(index, '', '\0')).toEqual([...names].sort());
    expect(index.after('k1998', 2).map((entry) => entry.key)).toEqual(['k1999', 'k2']);
  });

  it('forgets a key whose only version is taken back', () => {
    const index = new KeyIndex();
    const entry = index.add('a', version(2));
    index.add('a', version(3));
    index.removeNewest(entry);
    expect(visited(index, 'a', undefined)).toEqual(['a']);
    index.removeNewest(entry);
    expect(visited(index, '', '\0')).toEqual([]);
  });
});
