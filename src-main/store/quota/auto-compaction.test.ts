import { describe, expect, it, vi } from 'vitest';
import { type Clock, silentLogger } from '../../kit';
import { StoreError } from '../store-error';
import { type AutoCompactionMode, parseAutoCompaction, startAutoCompaction } from './auto-compaction';

const minute = 60_000;

function setUp(mode: AutoCompactionMode) {
  let now = 0;
  let pending: { at: number; callback: () => void }[] = [];
  const clock: Clock = {
    now: () => now,
    after: (ms, callback) => {
      const one = { at: now + ms, callback };
      pending.push(one);
      return () => void (pending = pending.filter((other) => other !== one));
    },
  };
  let revision = 100;
  let compacted = 0;
  const compact = vi.fn(async (target: number) => {
    compacted = target;
  });
  const store = { revision: () => revision, compactRevision: () => compacted, compact };
  const stop = startAutoCompaction(mode, { store, clock, logger: silentLogger });
  /** One write a minute. */
  const pass = async (minutes: number) => {
    const end = now + minutes * minute;
    for (;;) {
      const next = pending.filter((one) => one.at <= end).sort((a, b) => a.at - b.at)[0];
      if (!next) break;
      now = next.at;
      revision = 100 + Math.floor(now / minute);
      pending = pending.filter((one) => one !== next);
      next.callback();
      await vi.waitUntil(() => pending.length === 1, { interval: 1 });
    }
    now = end;
  };
  return {
    pass,
    compact,
    stop,
    pending: () => pending.length,
    targets: () => compact.mock.calls.map(([target]) => target),
  };
}

describe('automatic compaction', () => {
  it('by age keeps the span, first after it has passed', async () => {
    const { pass, targets, stop, pending } = setUp({ mode: 'periodic', keepMs: 10 * minute });
    await pass(9);
    expect(targets()).toEqual([]);
    await pass(1);
    expect(targets()).toEqual([100]);
    await pass(10);
    expect(targets()).toEqual([100, 109]);
    stop();
    expect(pending()).toBe(0);
  });

  it('by an age of more than an hour compacts every hour', async () => {
    const { pass, targets } = setUp({ mode: 'periodic', keepMs: 180 * minute });
    await pass(179);
    expect(targets()).toEqual([]);
    await pass(1);
    expect(targets()).toEqual([100]);
    await pass(120);
    expect(targets()).toEqual([100, 154, 214]);
  });

  it('by revision keeps so many of them, every five minutes', async () => {
    const { pass, targets } = setUp({ mode: 'revision', keepRevisions: 100 });
    await pass(4);
    expect(targets()).toEqual([]);
    await pass(6);
    expect(targets()).toEqual([5, 10]);
  });

  it('tries again at the next note when it failed, and takes "compacted already" for done', async () => {
    const { pass, compact, targets } = setUp({ mode: 'periodic', keepMs: 10 * minute });
    compact.mockRejectedValueOnce(new StoreError('DISK_FAILURE'));
    await pass(11);
    expect(targets()).toEqual([100, 100]);
    compact.mockRejectedValueOnce(new StoreError('COMPACTED'));
    await pass(12);
    expect(targets()).toEqual([100, 100, 110]);
  });
});

describe("etcd's flags", () => {
  it.each([
    ['periodic', '1', { mode: 'periodic', keepMs: 3_600_000 }],
    ['periodic', '1h30m', { mode: 'periodic', keepMs: 5_400_000 }],
    ['periodic', '1.5s', { mode: 'periodic', keepMs: 1500 }],
    ['revision', '1000', { mode: 'revision', keepRevisions: 1000 }],
    ['periodic', '0', undefined],
    ['revision', '', undefined],
  ] as const)('%s %s', (mode, retention, expected) => {
    expect(parseAutoCompaction(mode, retention)).toEqual(expected);
  });

  it.each([
    ['often', '1'],
    ['periodic', 'soon'],
    ['periodic', '1x'],
    ['revision', '1h'],
  ])('refuses %s %s', (mode, retention) => {
    expect(() => parseAutoCompaction(mode, retention)).toThrow(expect.objectContaining({ code: 'INVALID_RETENTION' }));
  });
});
