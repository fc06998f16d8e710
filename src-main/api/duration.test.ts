import { expect, it } from 'vitest';
import { ageOf, formatMicroTime, formatTime, humanDuration } from './duration';

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

it.each([
  [-5 * second, '<invalid>'],
  [-1 * second, '0s'],
  [0, '0s'],
  [119 * second, '119s'],
  [2 * minute, '2m'],
  [5 * minute + 3 * second, '5m3s'],
  [10 * minute + 30 * second, '10m'],
  [179 * minute, '179m'],
  [3 * hour, '3h'],
  [3 * hour + 20 * minute, '3h20m'],
  [8 * hour + 20 * minute, '8h'],
  [47 * hour, '47h'],
  [2 * day, '2d'],
  [2 * day + 4 * hour, '2d4h'],
  [8 * day + 4 * hour, '8d'],
  [729 * day, '729d'],
  [730 * day, '2y'],
  [731 * day, '2y1d'],
  [9 * 365 * day, '9y'],
])('%i ms is %s', (milliseconds, text) => expect(humanDuration(milliseconds)).toBe(text));

it('tells ages and writes times', () => {
  const now = Date.parse('2026-01-01T00:01:00Z');
  expect(ageOf('2026-01-01T00:00:00Z', now)).toBe('60s');
  expect(ageOf(undefined, now)).toBe('<unknown>');
  expect(formatTime(now + 5)).toBe('2026-01-01T00:01:00Z');
  expect(formatMicroTime(now + 5)).toBe('2026-01-01T00:01:00.005000Z');
});
