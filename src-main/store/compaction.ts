// Compaction. Take key `a` written at revisions 2, 5 and 8, and `b` written at 3 and deleted at 6; compacting at 6
// forgets a@2 (superseded by a@5), b@3 (superseded too), and keeps a@5, because a reader at 6 needs it, a@8, because it
// is newer, and b@6, the tombstone of the very revision, for watches that start there. Compacting at 7 takes b@6 too.
//
// The revision is first recorded as scheduled, durably; then the index is pruned and the records are removed, a chunk
// at a time so that writers wait for one chunk at most; then it is recorded as finished. A crash in between is found
// at the next start by scheduled > finished, and the same walk is made again. A key's versions leave the disk oldest
// first: a tombstone never goes before what it buried, so a half-done compaction cannot bring a key back to life.

import type { MvccState } from './batch';
import { pruneVersions } from './key-index';

const entriesPerStep = 1000;
const removalsPerCommit = 500;

const nextTurn = () =>
  new Promise<void>((resolve) => {
    setImmediate(resolve);
  });

/** Compacts at a revision that `state.compacted` already tells readers of. */
export async function compactHistory(state: MvccState, revision: number): Promise<{ removed: number }> {
  await state.disk.setCompactionMark('scheduled', revision);
  const removed = await removeSuperseded(state, revision);
  await state.disk.setCompactionMark('finished', revision);
  return { removed };
}

/** The walk itself; safe to make again. */
async function removeSuperseded(state: MvccState, revision: number): Promise<number> {
  const { index, disk } = state;
  let doomed: { main: number; sub: number }[] = [];
  let removed = 0;
  const flush = async (least: number) => {
    let start = 0;
    for (; doomed.length - start > least; start += removalsPerCommit) {
      const chunk = doomed.slice(start, start + removalsPerCommit);
      await disk.removeRecords(chunk);
      removed += chunk.length;
    }
    doomed = doomed.slice(start);
  };
  for (let last: string | undefined; ; ) {
    const entries = index.after(last, entriesPerStep);
    if (entries.length === 0) break;
    last = entries[entries.length - 1]!.key;
    for (const entry of entries) {
      for (const version of pruneVersions(entry, revision)) {
        version.value = undefined;
        doomed.push({ main: version.main, sub: version.sub });
      }
      if (entry.versions.length === 0) index.remove(entry);
    }
    await flush(removalsPerCommit - 1);
    await nextTurn();
  }
  await flush(0);
  return removed;
}
