// Pods that wait for a node, in three places: active (to be tried now, by priority, then by age), backing off (to be
// tried after 1 s doubling to 10 s), and unschedulable (nothing to try until the cluster changes, or five minutes pass).
// A change that comes while a Pod is being tried is not lost: the Pod then backs off instead of parking.

import { Backoff, type Clock } from '../kit';
import type { ClusterEvent } from './framework';
import type { PodInfo } from './pod-info';

interface Waiting {
  info: PodInfo;
  /** When the Pod came, for the order among equals. */
  order: number;
  attempts: number;
}

interface Parked extends Waiting {
  wakesOn: ReadonlySet<ClusterEvent>;
  notBefore: number;
  cancel: () => void;
}

const backoffOptions = { baseMs: 1000, maxMs: 10_000 };
const flushMs = 300_000;

export class SchedulingQueue {
  private readonly active = new Map<string, Waiting>();
  private readonly delayed = new Map<string, Waiting & { cancel: () => void }>();
  private readonly parked = new Map<string, Parked>();
  private readonly trying = new Map<string, Waiting & { events: Set<ClusterEvent> }>();
  private readonly backoff = new Backoff<string>(backoffOptions);
  private waiter: ((next: PodInfo | undefined) => void) | undefined;
  private order = 0;
  private stopped = false;

  constructor(private readonly clock: Clock) {}

  get counts(): { active: number; backoff: number; unschedulable: number; trying: number } {
    const { active, delayed, parked, trying } = this;
    return { active: active.size, backoff: delayed.size, unschedulable: parked.size, trying: trying.size };
  }

  /** A Pod that needs a node, new or changed. A change of a parked Pod may have made it schedulable. */
  add(info: PodInfo): void {
    if (this.stopped) return;
    const under = this.trying.get(info.key);
    if (under) {
      under.info = info;
      under.events.add('pod-removed').add('node-changed').add('node-added');
      return;
    }
    const known = this.active.get(info.key) ?? this.delayed.get(info.key);
    if (known) {
      known.info = info;
      return;
    }
    const parked = this.parked.get(info.key);
    parked?.cancel();
    this.parked.delete(info.key);
    this.activate({ info, order: parked?.order ?? this.order++, attempts: parked?.attempts ?? 0 });
  }

  /** A Pod that needs no node any more: bound, deleted, or another scheduler's. */
  remove(key: string): void {
    this.active.delete(key);
    this.trying.delete(key);
    this.delayed.get(key)?.cancel();
    this.delayed.delete(key);
    this.parked.get(key)?.cancel();
    this.parked.delete(key);
    this.backoff.forget(key);
  }

  /** The next Pod to try; undefined after shutdown. One reader at a time. End each with `done` or `failed`. */
  next(): Promise<PodInfo | undefined> {
    const first = this.takeFirst();
    if (first || this.stopped) return Promise.resolve(first);
    return new Promise((resolve) => {
      this.waiter = resolve;
    });
  }

  /** The Pod found its node. */
  done(key: string): void {
    this.trying.delete(key);
    this.backoff.forget(key);
  }

  /**
   * The Pod found none. `wakesOn`: the changes that can help; absent = an error, which only time can help. A change
   * that came meanwhile counts.
   */
  failed(key: string, wakesOn?: ReadonlySet<ClusterEvent>): void {
    const entry = this.trying.get(key);
    if (!entry) return;
    this.trying.delete(key);
    const { info, order, attempts } = entry;
    const waiting = { info, order, attempts: attempts + 1 };
    const delay = this.backoff.next(key);
    if (!wakesOn || [...entry.events].some((event) => wakesOn.has(event))) {
      this.delay(waiting, delay);
      return;
    }
    const cancel = this.clock.after(flushMs, () => this.wakeOne(key));
    this.parked.set(key, { ...waiting, wakesOn, notBefore: this.clock.now() + delay, cancel });
  }

  /** The cluster changed: Pods it can help are tried again, after what is left of their backoff. */
  wake(event: ClusterEvent): void {
    for (const { events } of this.trying.values()) events.add(event);
    for (const [key, { wakesOn }] of this.parked) if (wakesOn.has(event)) this.wakeOne(key);
  }

  shutdown(): void {
    this.stopped = true;
    for (const { cancel } of [...this.delayed.values(), ...this.parked.values()]) cancel();
    this.waiter?.(undefined);
    this.waiter = undefined;
  }

  private wakeOne(key: string): void {
    const parked = this.parked.get(key);
    if (!parked) return;
    parked.cancel();
    this.parked.delete(key);
    this.delay(parked, parked.notBefore - this.clock.now());
  }

  private delay({ info, order, attempts }: Waiting, ms: number): void {
    const waiting = { info, order, attempts };
    if (ms <= 0) return this.activate(waiting);
    const entry = { ...waiting, cancel: () => {} };
    entry.cancel = this.clock.after(ms, () => {
      this.delayed.delete(info.key);
      this.activate(entry);
    });
    this.delayed.set(info.key, entry);
  }

  private activate({ info, order, attempts }: Waiting): void {
    this.active.set(info.key, { info, order, attempts });
    if (!this.waiter) return;
    const resolve = this.waiter;
    this.waiter = undefined;
    resolve(this.takeFirst());
  }

  private takeFirst(): PodInfo | undefined {
    let first: Waiting | undefined;
    for (const candidate of this.active.values()) if (!first || goesBefore(candidate, first)) first = candidate;
    if (!first) return undefined;
    this.active.delete(first.info.key);
    this.trying.set(first.info.key, { ...first, events: new Set() });
    return first.info;
  }
}

function goesBefore(a: Waiting, b: Waiting): boolean {
  return a.info.priority === b.info.priority ? a.order < b.order : a.info.priority > b.info.priority;
}
