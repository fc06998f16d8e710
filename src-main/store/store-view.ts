// A view of the whole store as of one moment, decoded from a view of its disk.

import type { Disk, DiskView } from './disk';
import { decodeHeader, recordValue } from './record-codec';
import type { HistoryRecord, StoreView } from './store';

export function openStoreView(disk: Disk): StoreView {
  const view = disk.openView();
  const compactionScheduled = view.compactionMark('scheduled');
  return {
    revision: Math.max(1, compactionScheduled, view.lastRevision()),
    compactionScheduled,
    compactionFinished: view.compactionMark('finished'),
    records: () => decoded(view),
    leases: () => view.leases(),
    sideRecords: (table) => view.sideRecords(table),
    close: () => view.close(),
  };
}

function* decoded(view: DiskView): Iterable<HistoryRecord> {
  for (const { main, sub, record } of view.records()) {
    const { key, create, version, lease, tombstone } = decodeHeader(record);
    const value = recordValue(record);
    yield { key, value, createRevision: create, modRevision: main, version, lease, sub, tombstone };
  }
}
