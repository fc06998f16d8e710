import { expect, it } from 'vitest';
import { type Clock, silentLogger } from '../../kit';
import { startCompactor } from './compactor';

it('compacts to where the store was one interval ago, and stops', async () => {
  let fire: (() => void) | undefined;
  const clock: Clock = {
    now: () => 0,
    after: (_ms, callback) => {
      fire = callback;
      return () => {
        fire = undefined;
      };
    },
  };
  const compacted: number[] = [];
  let revision = 5;
  const store = {
    revision: () => revision,
    compactRevision: () => compacted.at(-1) ?? 0,
    compact: async (to: number) => {
      compacted.push(to);
    },
  };
  const stop = startCompactor({ store, logger: silentLogger, clock });
  const tick = async () => {
    fire?.();
    await new Promise((resolve) => setImmediate(resolve));
  };
  revision = 10;
  await tick();
  revision = 20;
  await tick();
  await tick();
  await tick();
  expect(compacted).toEqual([5, 10, 20]);
  stop();
  expect(fire).toBeUndefined();
});
