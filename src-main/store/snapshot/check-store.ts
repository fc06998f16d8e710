// Checks a store nothing is running on, record by record: each must be decodable, in order, and follow from the one
// before of its key.

import type { DiskView } from '../disk';
import { readableRecord } from '../record-codec';
import { openOfflineDisk } from './open-offline';

export interface StoreReport {
  /** What is wrong, most severe facts first by order of revision; empty when the store is sound. At most 100. */
  problems: string[];
  revision: number;
  compactionScheduled: number;
  compactionFinished: number;
  /** Keys that exist now. */
  keys: number;
  records: number;
  tombstones: number;
  leases: number;
  keyBytes: number;
  valueBytes: number;
  size: { total: number; inUse: number };
}

const mostProblems = 100;
const recordsPerTurn = 5000;

interface KeyState {
  main: number;
  create: number;
  version: number;
  tombstone: boolean;
}

/** Errors: STORE_MISSING, STORE_LOCKED. */
export async function checkStore(directory: string): Promise<StoreReport> {
  const disk = await openOfflineDisk(directory);
  try {
    const view = disk.openView();
    try {
      return { ...(await new Check(view).run()), size: disk.size() };
    } finally {
      view.close();
    }
  } finally {
    await disk.close();
  }
}

class Check {
  private readonly problems: string[] = [];
  private readonly keys = new Map<string, KeyState>();
  private readonly scheduled: number;
  private readonly finished: number;
  private last = { main: 0, sub: -1 };
  private records = 0;
  private tombstones = 0;
  private keyBytes = 0;
  private valueBytes = 0;

  constructor(private readonly view: DiskView) {
    this.scheduled = view.compactionMark('scheduled');
    this.finished = view.compactionMark('finished');
  }

  async run(): Promise<Omit<StoreReport, 'size'>> {
    for (const { main, sub, record } of this.view.records()) {
      this.records++;
      this.checkPlace(main, sub);
      this.checkRecord({ main, sub }, record);
      if (this.records % recordsPerTurn === 0) {
        await new Promise<void>((resolve) => {
          setImmediate(resolve);
        });
      }
    }
    const revision = Math.max(1, this.last.main, this.scheduled);
    this.checkMarks();
    const leases = this.view.leases();
    for (const { id, ttlSeconds, expiresAt } of leases) {
      if (!(ttlSeconds > 0) || !Number.isFinite(expiresAt)) this.tell(`lease ${id.toString(16)} has no time to live`);
    }
    const { problems, records, tombstones, keyBytes, valueBytes } = this;
    const keys = [...this.keys.values()].filter((state) => !state.tombstone).length;
    return {
      problems,
      revision,
      compactionScheduled: this.scheduled,
      compactionFinished: this.finished,
      keys,
      records,
      tombstones,
      leases: leases.length,
      keyBytes,
      valueBytes,
    };
  }

  private tell(problem: string): void {
    if (this.problems.length < mostProblems) this.problems.push(problem);
  }

  private checkPlace(main: number, sub: number): void {
    const { last } = this;
    if (main < 2) this.tell(`revision ${main} comes before the first possible one, 2`);
    if (main < last.main || (main === last.main && sub <= last.sub)) {
      this.tell(`revision ${main}/${sub} comes after ${last.main}/${last.sub}`);
    }
    // Compaction takes records out only at or before its revision; after it every revision is there, from 0 up.
    if (main > Math.max(this.scheduled, 1)) {
      if (main === last.main ? sub !== last.sub + 1 : sub !== 0)
        this.tell(`revision ${main} lacks its record ${last.sub + 1}`);
      const before = Math.max(last.main, this.scheduled, 1);
      if (main > before + 1) this.tell(`the revisions from ${before + 1} to ${main - 1} are missing`);
    }
    this.last = { main, sub };
  }

  private checkRecord({ main, sub }: { main: number; sub: number }, record: Buffer): void {
    const decoded = readableRecord(record);
    if (!decoded) {
      this.tell(`revision ${main}/${sub} cannot be decoded`);
      return;
    }
    const { key, create, version, tombstone, valueBytes } = decoded;
    this.keyBytes += key.length;
    this.valueBytes += valueBytes;
    if (tombstone) this.tombstones++;
    if (key.length === 0) this.tell(`revision ${main}/${sub} has an empty key`);
    const before = this.keys.get(key);
    const name = JSON.stringify(key);
    if (before?.main === main) this.tell(`revision ${main} writes ${name} twice`);
    if (tombstone) {
      if (main > this.scheduled && (!before || before.tombstone))
        this.tell(`revision ${main} deletes ${name}, which is not there`);
    } else if (before && !before.tombstone) {
      if (
        create !== before.create ||
        version <= before.version ||
        (before.main > this.scheduled && version !== before.version + 1)
      ) {
        this.tell(`revision ${main} of ${name} does not follow from revision ${before.main}`);
      }
    } else if (create > main || version < 1 || (version === 1) !== (create === main)) {
      this.tell(`revision ${main} of ${name} tells of creation ${create} and version ${version}`);
    } else if (version > 1 && main > this.scheduled) {
      this.tell(`revision ${main} of ${name} follows from one that is missing`);
    }
    this.keys.set(key, { main, create, version, tombstone });
  }

  private checkMarks(): void {
    const { scheduled, finished } = this;
    for (const mark of [scheduled, finished]) {
      if (!Number.isSafeInteger(mark) || mark < 0) this.tell(`a compaction mark is no revision: ${mark}`);
    }
    if (finished > scheduled) this.tell(`compaction ${finished} was finished but only ${scheduled} was scheduled`);
  }
}
