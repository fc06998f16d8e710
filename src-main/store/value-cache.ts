// Keeps the values of recent versions in memory, oldest out first, within a budget of bytes. Most reads and all live
// watches ask for what was written lately.

import type { Version } from './key-index';

/** What a cached version costs beside its bytes, so that a flood of empty values is bounded too. */
const overhead = 128;

export class ValueCache {
  private held: Version[] = [];
  private oldest = 0;
  private bytes = 0;

  constructor(private readonly budget: number) {}

  /** Takes over a committed version whose value is in memory; from now on the value may be dropped. */
  add(version: Version): void {
    if (!version.value || version.tombstone) return;
    this.held.push(version);
    this.bytes += version.value.length + overhead;
    while (this.bytes > this.budget && this.oldest < this.held.length) {
      const dropped = this.held[this.oldest++]!;
      this.bytes -= (dropped.value?.length ?? 0) + overhead;
      dropped.value = undefined;
    }
    if (this.oldest > 1024 && this.oldest * 2 > this.held.length) {
      this.held = this.held.slice(this.oldest);
      this.oldest = 0;
    }
  }
}
