// A disk in memory that commits only when the test lets it, and fails when the test says so.

import type { CompactionMark, Disk, DiskBatch, LeaseRecord } from '../disk';
import { encodeRecord, recordValue } from '../record-codec';

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
  private readonly marks = new Map<CompactionMark, number>();

  get size(): number {
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

  async close(): Promise<void> {
    this.gate = async () => {};
  }
}
