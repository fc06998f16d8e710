// Forgets old history by itself, in etcd's two modes (--auto-compaction-mode). Periodic keeps the history of a span of
// time: the revision is noted ten times an interval (the span, at most an hour), and once the span has passed the
// oldest note is compacted to, every interval. By revision: every five minutes all but the last so many revisions go.

import { type Clock, type Logger, messageOf, PilothouseError, systemClock } from '../../kit';
import type { Store } from '../store';

export type AutoCompactionMode = { mode: 'periodic'; keepMs: number } | { mode: 'revision'; keepRevisions: number };

export interface AutoCompactionOptions {
  store: Pick<Store, 'revision' | 'compactRevision' | 'compact'>;
  logger: Logger;
  clock?: Clock;
}

const longestIntervalMs = 3_600_000;
const notesPerInterval = 10;
const revisionIntervalMs = 300_000;

/** Runs until the answered function is called. A span or count of 0 keeps everything. */
export function startAutoCompaction(mode: AutoCompactionMode, options: AutoCompactionOptions): () => void {
  const kept = mode.mode === 'periodic' ? mode.keepMs : mode.keepRevisions;
  if (kept <= 0) return () => undefined;
  const step =
    mode.mode === 'periodic' ? periodicStep(mode.keepMs, options) : revisionStep(mode.keepRevisions, options);
  const { clock = systemClock } = options;
  const everyMs = mode.mode === 'periodic' ? intervalOf(mode.keepMs) / notesPerInterval : revisionIntervalMs;
  let stopped = false;
  let cancel = () => {};
  const run = async () => {
    await step();
    if (!stopped) cancel = clock.after(everyMs, () => void run());
  };
  cancel = clock.after(everyMs, () => void run());
  return () => {
    stopped = true;
    cancel();
  };
}

/**
 * etcd's flags: for `periodic` a Go duration ("10m", "1h30m") or a bare number of hours, for `revision` a count. An
 * empty or zero retention answers undefined: nothing is compacted. Error: INVALID_RETENTION.
 */
export function parseAutoCompaction(mode: string, retention: string): AutoCompactionMode | undefined {
  const refuse = (reason: string) =>
    new PilothouseError({
      code: 'INVALID_RETENTION',
      message: `automatic compaction cannot be set up: ${reason}`,
      hint: 'Use mode "periodic" with a retention like 10m or 1h, or mode "revision" with a count like 1000.',
    });
  if (mode !== 'periodic' && mode !== 'revision') throw refuse(`there is no mode "${mode}"`);
  if (retention === '' || retention === '0') return undefined;
  if (mode === 'revision') {
    if (!/^\d+$/.test(retention)) throw refuse(`"${retention}" is no count of revisions`);
    return { mode, keepRevisions: Number(retention) };
  }
  const keepMs = /^\d+$/.test(retention) ? Number(retention) * 3_600_000 : parseDuration(retention);
  if (keepMs === undefined) throw refuse(`"${retention}" is no duration`);
  return keepMs > 0 ? { mode, keepMs } : undefined;
}

const unitMs: Record<string, number> = { ns: 1e-6, us: 1e-3, µs: 1e-3, ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

function parseDuration(text: string): number | undefined {
  if (!/^(\d+(\.\d+)?(ns|us|µs|ms|s|m|h))+$/.test(text)) return undefined;
  let total = 0;
  for (const [, number, , unit] of text.matchAll(/(\d+(\.\d+)?)(ns|us|µs|ms|s|m|h)/g)) {
    total += Number(number) * unitMs[unit!]!;
  }
  return total;
}

function intervalOf(keepMs: number): number {
  return Math.min(keepMs, longestIntervalMs);
}

function periodicStep(keepMs: number, options: AutoCompactionOptions): () => Promise<void> {
  const { store, clock = systemClock } = options;
  const interval = intervalOf(keepMs);
  const most = Math.floor((keepMs * notesPerInterval) / interval) + 1;
  const notes = [store.revision()];
  let lastDone = clock.now();
  let wait = keepMs;
  return async () => {
    if (clock.now() - lastDone >= wait) {
      wait = interval;
      if (await compact(notes[0]!, options)) lastDone = clock.now();
    }
    notes.push(store.revision());
    if (notes.length > most) notes.shift();
  };
}

function revisionStep(keepRevisions: number, options: AutoCompactionOptions): () => Promise<void> {
  return async () => {
    await compact(options.store.revision() - keepRevisions, options);
  };
}

/** Whether nothing is left to forget up to the revision. */
async function compact(revision: number, { store, logger }: AutoCompactionOptions): Promise<boolean> {
  if (revision <= Math.max(1, store.compactRevision())) return true;
  try {
    await store.compact(revision);
    logger.debug('store compacted by itself', { revision });
    return true;
  } catch (error) {
    if (error instanceof PilothouseError && error.code === 'COMPACTED') return true;
    logger.warn('the store was not compacted', { revision, reason: messageOf(error) });
    return false;
  }
}
