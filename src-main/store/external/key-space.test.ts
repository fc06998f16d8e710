import { expect, it } from 'vitest';
import { KeySpace } from './key-space';

it.each<[string, string | undefined, string | undefined]>([
  ['', undefined, undefined],
  ['', '\0', '\0'],
  ['', 'b', 'b'],
  ['/p/', undefined, undefined],
  ['/p/', '', undefined],
  ['/p/', '\0', '/p0'],
  ['/p/', 'b', '/p/b'],
])('below %j the range end %j is %j', (prefix, end, expected) => {
  expect(new KeySpace(prefix).end(end)?.toString('latin1')).toBe(expected);
});

it('keeps every byte of a key', () => {
  const space = new KeySpace('/p/');
  const key = String.fromCharCode(0, 127, 128, 255);
  expect(space.strip(space.key(key))).toBe(key);
  expect([space.has(space.key(key)), space.has(Buffer.from('/q/x'))]).toEqual([true, false]);
});
