// The hash that etcd members compare to see that they hold the same history (Maintenance.HashKV, `etcdctl endpoint
// hashkv`): CRC-32C over the bucket's name and all its keys and values up to a revision, in order. What compaction has
// superseded but perhaps not yet removed is left out, so that it does not matter how far a member has got with it.

import type { HistoryRecord, StoreView } from '../store';
import { StoreError } from '../store-error';
import { crc32c } from './crc32c';
import { recordKey, recordMessage, type Viewed } from './write-snapshot';

export interface HashKv {
  hash: number;
  /** The revision hashed up to. */
  hashRevision: number;
  /** The store's revision. */
  revision: number;
  /** As etcd tells it: -1 before the first compaction. */
  compactRevision: number;
}

const recordsPerTurn = 2000;
const nextTurn = () =>
  new Promise<void>((resolve) => {
    setImmediate(resolve);
  });

/** `revision` 0 or absent = the current one. Errors: COMPACTED, FUTURE_REVISION. */
export async function hashKv(store: Viewed, revision = 0): Promise<HashKv> {
  const view = store.openView();
  try {
    const { compactionScheduled: compacted } = view;
    const details = { revision, current: view.revision, compacted };
    if (revision > 0 && revision <= compacted) throw new StoreError('COMPACTED', { details });
    if (revision > view.revision) throw new StoreError('FUTURE_REVISION', { details });
    const hashRevision = revision || view.revision;
    return {
      hash: await hashView(view, hashRevision),
      hashRevision,
      revision: view.revision,
      compactRevision: compacted || -1,
    };
  } finally {
    view.close();
  }
}

async function hashView(view: StoreView, upTo: number): Promise<number> {
  const { compactionScheduled: compacted } = view;
  const kept = compacted > 0 ? await liveVersions(view, { upTo, compacted }) : undefined;
  let hash = crc32c(0, Buffer.from('key'));
  await visit(view, (record) => {
    if (record.modRevision > upTo) return false;
    if (kept && record.modRevision <= compacted && !kept.has(placeOf(record))) return true;
    hash = crc32c(crc32c(hash, recordKey(record)), recordMessage(record));
    return true;
  });
  return hash;
}

/**
 * The places of the old records that a reader at `upTo` still sees. None at all when no key is alive then: in that case
 * etcd leaves nothing out.
 */
async function liveVersions(
  view: StoreView,
  { upTo, compacted }: { upTo: number; compacted: number },
): Promise<Set<string> | undefined> {
  const live = new Map<string, string | undefined>();
  await visit(view, (record) => {
    if (record.modRevision > upTo) return false;
    if (record.tombstone) live.delete(record.key);
    // Newer versions are hashed whatever they are; remembering that there is one is enough.
    else live.set(record.key, record.modRevision <= compacted ? placeOf(record) : undefined);
    return true;
  });
  if (live.size === 0) return undefined;
  const places = new Set<string>();
  for (const place of live.values()) if (place) places.add(place);
  return places;
}

function placeOf({ modRevision, sub }: HistoryRecord): string {
  return `${modRevision}/${sub}`;
}

async function visit(view: StoreView, visitor: (record: HistoryRecord) => boolean): Promise<void> {
  let seen = 0;
  for (const record of view.records()) {
    if (!visitor(record)) return;
    if (++seen % recordsPerTurn === 0) await nextTurn();
  }
}
