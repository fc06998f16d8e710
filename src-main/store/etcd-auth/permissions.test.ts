import { expect, it } from 'vitest';
import { isGranted, type Permission } from './permissions';

const granted: Permission[] = [
  { type: 'readwrite', key: 'a', rangeEnd: 'c' },
  { type: 'read', key: 'c', rangeEnd: 'f' },
  { type: 'write', key: 'one', rangeEnd: '' },
  { type: 'read', key: 'x', rangeEnd: '\0' },
];

it.each<['read' | 'write', string, string | undefined, boolean]>([
  ['read', 'a', undefined, true],
  ['read', 'a', 'f', true],
  ['read', 'b', 'd', true],
  ['write', 'b', 'd', false],
  ['write', 'a', 'c', true],
  ['read', 'a', 'g', false],
  ['read', 'f', undefined, false],
  ['read', '9', 'b', false],
  ['write', 'one', undefined, true],
  ['read', 'one', undefined, false],
  ['write', 'one', 'onf', false],
  ['read', 'y', '\0', true],
  ['read', 'b', '\0', false],
  ['read', '\0', '\0', false],
])('%s %j to %j: %s', (kind, key, rangeEnd, expected) => {
  expect(isGranted(granted, { kind, key, rangeEnd })).toBe(expected);
});
