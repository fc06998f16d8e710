// A disk in memory that commits only when the test lets it, and fails when the test says so.

import type { CompactionMark, Disk, DiskBatch, DiskView, LeaseRecord } from '../disk';
import { encodeRecord, recordValue } from '../record-codec';
import type { SideRecord, StoreSize } from '../store';

interface Stored {
  main: number;
  sub: number;
  record: Buffer;
}

export class MemoryDisk implements Disk {
  /** How many records each commit so far had. */
  readonly commits: number[] = [];
  /** Called before each commit and removal takes effect; may wait or throw. */
  gate: (step: 'commit' | 'remove' | 'mark') => Promise<void> = async () => {};
  private records: Stored[] = [];
  private readonly leaseRecords = new Map<bigint, LeaseRecord>();
  private side: { table: string; key: Buffer; value: Buffer }[] = [];
  private readonly marks = new Map<CompactionMark, number>();

  get recordCount(): number {
    return this.records.length;
  }

  async commit(batch: DiskBatch): Promise<void> {
    const records = batch.records.map(({ main, sub, header, value }) => {
      return { main, sub, record: encodeRecord(header, value) };
    });
    await this.gate('commit');
    this.commits.push(records.length);
    this.records.push(...records);
    for (const { id, ttlSeconds, expiresAt } of batch.leasesPut)
      this.leaseRecords.set(id, { id, ttlSeconds, expiresAt });
    for (const id of batch.leasesRemoved) this.leaseRecords.delete(id);
  }

  readValue(main: number, sub: number): Buffer {
    const found = this.records.find((one) => one.main === main && one.sub === sub);
    if (!found) throw new Error(`no record ${main}/${sub}`);
    return recordValue(found.record);
  }

  scan(from: number, to: number, visit: (main: number, sub: number, record: Buffer) => boolean | void): void {
    for (const { main, sub, record } of this.records) {
      if (main < from || main > to) continue;
      if (visit(main, sub, record) === false) return;
    }
  }

  async removeRecords(revisions: readonly { main: number; sub: number }[]): Promise<void> {
    await this.gate('remove');
    const doomed = new Set(revisions.map(({ main, sub }) => `${main}/${sub}`));
    this.records = this.records.filter(({ main, sub }) => !doomed.has(`${main}/${sub}`));
  }

  leases(): LeaseRecord[] {
    return [...this.leaseRecords.values()];
  }

  compactionMark(mark: CompactionMark): number {
    return this.marks.get(mark) ?? 0;
  }

  async setCompactionMark(mark: CompactionMark, revision: number): Promise<void> {
    await this.gate('mark');
    this.marks.set(mark, revision);
  }

  sideRecords(table: string): { key: Buffer; value: Buffer }[] {
    const records = this.side.filter((one) => one.table === table).map(({ key, value }) => ({ key, value }));
    return records.sort((a, b) => Buffer.compare(a.key, b.key));
  }

  async writeSideRecords(records: readonly SideRecord[]): Promise<void> {
    await this.gate('mark');
    for (const { table, key, value } of records) {
      this.side = this.side.filter((one) => one.table !== table || !one.key.equals(key));
      if (value) this.side.push({ table, key, value });
    }
  }

  size(): StoreSize {
    const inUse = this.records.reduce((sum, { record }) => sum + record.length, 0);
    return { total: inUse, inUse };
  }

  openView(): DiskView {
    const records = [...this.records];
    const leases = this.leases();
    const marks = new Map(this.marks);
    const side = [...this.side];
    return {
      lastRevision: () => records[records.length - 1]?.main ?? 0,
      records: () => records,
      leases: () => leases,
      sideRecords: (table) => side.filter((one) => one.table === table),
      compactionMark: (mark) => marks.get(mark) ?? 0,
      close: () => undefined,
    };
  }

  async defragment(): Promise<void> {
    await this.gate('mark');
  }

  async close(): Promise<void> {
    this.gate = async () => {};
  }
}
