// The most recent changes of one kind, in order of revision. When full, the older half is dropped at once, which keeps
// a push cheap; `oldestRevision` says from where on nothing is missing.

interface Revisioned {
  readonly revision: number;
}

export class EventRing<E extends Revisioned> {
  private events: E[] = [];
  private oldest = 0;

  constructor(private readonly capacity: number) {}

  /** A reader who knows the state at this revision, or a later one, misses nothing. */
  get oldestRevision(): number {
    return this.oldest;
  }

  reset(revision: number): void {
    this.events = [];
    this.oldest = revision;
  }

  push(event: E): void {
    if (this.events.length >= this.capacity) {
      // A revision must not be cut in two, or a watch from it would miss its second half.
      let keep = this.events.length >>> 1;
      const last = this.events[keep - 1]!.revision;
      while (keep < this.events.length && this.events[keep]!.revision === last) keep++;
      this.oldest = last;
      this.events = this.events.slice(keep);
    }
    this.events.push(event);
  }

  /** The changes after `revision`. */
  after(revision: number): E[] {
    let low = 0;
    let high = this.events.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.events[middle]!.revision <= revision) low = middle + 1;
      else high = middle;
    }
    return this.events.slice(low);
  }
}
