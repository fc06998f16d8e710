import { expect, test } from 'vitest';
import { FakeClock } from '../../../testkit/fake-clock';
import { StartAttempts } from './start-attempts';

const idleMs = 60_000;
const waiting = { reason: 'ErrImagePull' };

test('a failure holds its container back until its time, and is shown until it starts', async () => {
  const clock = new FakeClock();
  const attempts = new StartAttempts(clock, idleMs);
  expect(attempts.nextInMs()).toBe(idleMs);
  expect(attempts.failed('a', { waiting, retryInMs: 10_000 })).toBe(false);
  expect(attempts.mustWait('a')).toBe(true);
  expect(attempts.mustWait('b')).toBe(false);
  expect(attempts.nextInMs()).toBe(10_000);
  await clock.advance(10_000);
  expect(attempts.mustWait('a')).toBe(false);
  expect([...attempts.waiting]).toEqual([['a', waiting]]);
  attempts.succeeded('a');
  expect(attempts.waiting.size).toBe(0);
  expect(attempts.nextInMs()).toBe(idleMs);
});

test('a failure that left a container behind asks for a new plan; one without a time waits for the next look', () => {
  const attempts = new StartAttempts(new FakeClock(), idleMs);
  expect(attempts.failed('a', { waiting, retryInMs: 0 })).toBe(true);
  expect(attempts.mustWait('a')).toBe(false);
  expect(attempts.failed('b', { waiting })).toBe(false);
  expect(attempts.nextInMs()).toBe(idleMs);
});

test('a new sandbox forgets the failures but not how often a container was restarted', () => {
  const clock = new FakeClock();
  const attempts = new StartAttempts(clock, idleMs);
  attempts.countRestart('a');
  attempts.failed('a', { waiting, retryInMs: 0 });
  attempts.forgetFailures();
  expect(attempts.waiting.size).toBe(0);
  expect(attempts.backoff('a', clock.now()).waitMs).toBeGreaterThan(0);
});
