// What a controller has written but its lister does not show yet, per key: so that a reconcile that is woken early does
// not create or delete the same thing twice. A creation has arrived when the lister holds the object or has seen its
// version; a deletion, when the object is gone or marked. What never arrives is forgotten after five minutes.

import type { KubeObject } from '../../api';
import { type Informer, objectKey } from '../../client';
import type { Clock } from '../../kit';

interface Pending {
  object: string;
  uid: string;
  version: number;
  deletion: boolean;
  at: number;
}

const forgetAfterMs = 300_000;

export class Expectations<T extends KubeObject> {
  private readonly pending = new Map<string, Pending[]>();

  constructor(
    private readonly informer: Informer<T>,
    private readonly clock: Clock,
  ) {}

  created(key: string, object: T): void {
    this.add(key, object, false);
  }

  deleted(key: string, object: T): void {
    this.add(key, object, true);
  }

  forget(key: string): void {
    this.pending.delete(key);
  }

  /** Whether the lister shows everything this key's reconciles have written. */
  satisfied(key: string): boolean {
    const pending = this.pending.get(key);
    if (!pending) return true;
    const now = this.clock.now();
    const left = pending.filter((item) => now - item.at < forgetAfterMs && !this.arrived(item));
    if (left.length === 0) this.pending.delete(key);
    else this.pending.set(key, left);
    return left.length === 0;
  }

  private add(key: string, object: T, deletion: boolean): void {
    const { uid = '', resourceVersion } = object.metadata;
    const item = { object: objectKey(object), uid, version: Number(resourceVersion), deletion, at: this.clock.now() };
    const pending = this.pending.get(key);
    if (pending) pending.push(item);
    else this.pending.set(key, [item]);
  }

  private arrived(item: Pending): boolean {
    const held = this.informer.lister.get(item.object);
    if (item.deletion) return held?.metadata.uid !== item.uid || held.metadata.deletionTimestamp !== undefined;
    return held?.metadata.uid === item.uid || this.informer.latestVersion() >= item.version;
  }
}
