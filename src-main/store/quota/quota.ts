// Keeps a store within a size. When a put, a transaction that puts or a lease would take it over, that is refused with
// NO_SPACE and the alarm NOSPACE is raised; from then on all of them are refused, while deletions and compactions go
// on, until somebody made room (compact, then defragment) and disarmed the alarm. The alarm is kept in the store, in
// etcd's form, so that it outlives a restart and travels with snapshots.

import { type Logger, messageOf } from '../../kit';
import type { LocalStore, StoreSize } from '../store';
import { StoreError } from '../store-error';
import { type Alarm, alarmKey, readAlarms } from './alarm';

export interface QuotaOptions {
  store: LocalStore;
  /** 0 = no bound; a negative number likewise. */
  bytes: number;
  logger: Logger;
  /** The member the alarm is raised for; etcd names its own id. */
  memberId?: bigint;
}

export interface Quota {
  readonly bytes: number;
  size(): StoreSize;
  /** All alarms raised. */
  alarms(): Alarm[];
  /** Raises an alarm by hand; resolved when durable. */
  raise(alarm: Alarm): Promise<void>;
  /** Takes alarms back: those of the type ('NONE' = any) and the member (0n = any). Answers them. */
  disarm(which: { type: Alarm['type'] | 'NONE'; memberId: bigint }): Promise<Alarm[]>;
  /** Lets everything be written again, and forgets nothing. */
  close(): void;
}

/** etcd's default for --quota-backend-bytes. */
export const defaultQuotaBytes = 2 * 1024 * 1024 * 1024;

const table = 'alarm';
/** The size is measured anew when this much was accepted since, or a hundredth of the quota if that is less. */
const measureEveryBytes = 1024 * 1024;

/** Puts the guard of the quota before the store's writes; one quota a store. */
export function createQuota(options: QuotaOptions): Quota {
  return new StoreQuota(options);
}

class StoreQuota implements Quota {
  readonly bytes: number;
  private readonly store: LocalStore;
  private readonly logger: Logger;
  private readonly memberId: bigint;
  private raised: Alarm[];
  private measured = 0;
  private accepted = Number.POSITIVE_INFINITY;

  constructor(options: QuotaOptions) {
    this.store = options.store;
    this.logger = options.logger;
    this.bytes = Math.max(0, options.bytes);
    this.memberId = options.memberId ?? 0n;
    this.raised = readAlarms(this.store.sideRecords(table));
    this.store.guardWrites((bytes) => this.check(bytes));
  }

  size(): StoreSize {
    return this.store.size();
  }

  alarms(): Alarm[] {
    return [...this.raised];
  }

  async raise(alarm: Alarm): Promise<void> {
    const already = this.raised.some((one) => one.type === alarm.type && one.memberId === alarm.memberId);
    if (!already) this.raised.push(alarm);
    await this.store.writeSideRecords([{ table, key: alarmKey(alarm), value: Buffer.alloc(0) }]);
  }

  async disarm({ type, memberId }: { type: Alarm['type'] | 'NONE'; memberId: bigint }): Promise<Alarm[]> {
    const matches = (alarm: Alarm) =>
      (type === 'NONE' || alarm.type === type) && (memberId === 0n || alarm.memberId === memberId);
    const gone = this.raised.filter(matches);
    if (gone.length > 0) await this.store.writeSideRecords(gone.map((alarm) => ({ table, key: alarmKey(alarm) })));
    this.raised = this.raised.filter((alarm) => !gone.includes(alarm));
    this.accepted = Number.POSITIVE_INFINITY;
    return gone;
  }

  close(): void {
    this.store.guardWrites(undefined);
  }

  private check(bytes: number): void {
    if (this.raised.some((alarm) => alarm.type === 'NOSPACE')) throw this.refusal();
    if (this.bytes === 0) return;
    if (this.accepted + bytes > Math.min(measureEveryBytes, this.bytes / 100) || this.isNear(bytes)) {
      this.measured = this.store.size().total;
      this.accepted = 0;
    }
    this.accepted += bytes;
    if (this.measured + this.accepted < this.bytes) return;
    const alarm: Alarm = { type: 'NOSPACE', memberId: this.memberId };
    this.logger.error('the store is full: writing is refused until there is room again', { quota: this.bytes });
    this.raise(alarm).catch((error: unknown) =>
      this.logger.error('the alarm could not be kept: it will be gone after a restart', { error: messageOf(error) }),
    );
    throw this.refusal();
  }

  private isNear(bytes: number): boolean {
    return this.measured + this.accepted + bytes >= this.bytes;
  }

  private refusal(): StoreError {
    return new StoreError('NO_SPACE', {
      hint: 'Compact old revisions, defragment the store and disarm the alarm, or raise the quota.',
      details: { quota: this.bytes },
    });
  }
}
