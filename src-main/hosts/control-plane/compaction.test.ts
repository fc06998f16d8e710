import { expect, it, vi } from 'vitest';
import { type Clock, silentLogger } from '../../kit';
import { startCompaction } from './compaction';

it('compacts to the revision of one interval ago, again and again, until stopped', async () => {
  const pending: (() => void)[] = [];
  const clock: Clock = {
    now: () => 0,
    after: (_, callback) => {
      pending.push(callback);
      return () => void pending.splice(pending.indexOf(callback), 1);
    },
  };
  let revision = 10;
  let compacted = 0;
  const compact = vi.fn(async (target: number) => {
    compacted = target;
  });
  const store = { revision: () => revision, compactRevision: () => compacted, compact };
  const stop = startCompaction({ store, keepMs: 1000, clock, logger: silentLogger });
  const tick = async () => {
    pending.shift()!();
    await vi.waitFor(() => expect(pending).toHaveLength(1));
  };
  revision = 50;
  await tick();
  expect(compact.mock.calls).toEqual([[10]]);
  await tick();
  expect(compact.mock.calls).toEqual([[10], [50]]);
  // Nothing was written since: nothing to forget.
  await tick();
  expect(compact).toHaveBeenCalledTimes(2);
  stop();
  expect(pending).toHaveLength(0);
});
