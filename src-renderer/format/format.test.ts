import { describe, expect, it } from 'vitest';
import { formatAge, formatDuration, formatStopwatch } from './duration';
import { formatBytes, formatCpu, parseQuantity } from './quantity';

const s = 1000;
const m = 60 * s;
const h = 60 * m;
const d = 24 * h;

describe('formatDuration', () => {
  it.each([
    [-5, '0s'],
    [7 * s, '7s'],
    [119 * s, '119s'],
    [2 * m, '2m'],
    [2 * m + 5 * s, '2m5s'],
    [11 * m + 5 * s, '11m'],
    [179 * m, '179m'],
    [3 * h + 20 * m, '3h20m'],
    [9 * h + 20 * m, '9h'],
    [2 * d + 3 * h, '2d3h'],
    [45 * d, '45d'],
    [800 * d, '2y'],
  ])('%i ms is %s', (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });

  it('shows a dash for what has no time', () => {
    expect(formatAge(undefined, 0)).toBe('–');
    expect(formatAge('not a time', 0)).toBe('–');
    expect(formatAge('1970-01-01T00:00:00Z', 5 * s)).toBe('5s');
  });

  it('counts like a stopwatch', () => {
    expect([7 * s, 750 * s, 3723 * s].map(formatStopwatch)).toEqual(['0:07', '12:30', '1:02:03']);
  });
});

describe('quantities', () => {
  it.each([
    ['100m', 0.1],
    ['2', 2],
    [3, 3],
    ['64Mi', 64 * 2 ** 20],
    ['1e3', 1000],
    ['1k', 1000],
    ['2Ki', 2048],
    ['', 0],
    ['abc', 0],
    [undefined, 0],
  ])('%s is %d', (text, value) => {
    expect(parseQuantity(text)).toBeCloseTo(value, 9);
  });

  it('prints bytes and CPUs for people', () => {
    expect(formatBytes(1536, 'en')).toBe('1.5 KiB');
    expect(formatBytes(512, 'en')).toBe('512 B');
    expect(formatBytes(3 * 2 ** 30, 'en')).toBe('3 GiB');
    expect([0, 0.1, 0.25, 1.5, 2].map(formatCpu)).toEqual(['0', '100m', '250m', '1.5', '2']);
  });
});
