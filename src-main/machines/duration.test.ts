import { describe, expect, it } from 'vitest';
import { type Clock, PilothouseError } from '../kit';
import { duration, within } from './duration';

describe('duration', () => {
  it.each([
    [80, '80 ms'],
    [45_000, '45 s'],
    [60_000, '1 minute'],
    [90_000, '1 minute 30 s'],
    [180_000, '3 minutes'],
    [3_600_000, '1 hour'],
    [5_400_000, '1 hour 30 minutes'],
  ])('%i ms is %s', (ms, text) => expect(duration(ms)).toBe(text));
});

describe('within', () => {
  const expiring: Clock = {
    now: () => 0,
    after: (_, callback) => {
      queueMicrotask(callback);
      return () => undefined;
    },
  };

  it('says in a sentence what was late, and tells the work', async () => {
    let told: AbortSignal | undefined;
    const waiting = within({ ms: 180_000, late: 'dev-2 was not Ready', hint: 'look', clock: expiring }, (signal) => {
      told = signal;
      return new Promise(() => undefined);
    });
    await expect(waiting).rejects.toMatchObject({
      code: 'DEADLINE_EXCEEDED',
      message: 'dev-2 was not Ready within 3 minutes',
      hint: 'look',
    });
    expect(told?.aborted).toBe(true);
  });

  it('leaves every other failure as it is', async () => {
    const thrown = new PilothouseError({ code: 'DEADLINE_EXCEEDED', message: 'an inner one' });
    await expect(within({ ms: 1000, late: 'x' }, () => Promise.reject(thrown))).rejects.toBe(thrown);
  });
});
