// Numbers in use out of a range: those the stored Services hold, and those reserved for writes under way.

import { randomInt } from 'node:crypto';

export class NumberPool {
  /** Holders of a number; more than one only where the store already had it so. */
  private readonly held = new Map<number, Set<string>>();
  private readonly pending = new Set<number>();

  constructor(private readonly options: { from: number; to: number }) {}

  contains(value: number): boolean {
    return value >= this.options.from && value <= this.options.to;
  }

  isFree(value: number, holder?: string): boolean {
    if (this.pending.has(value)) return false;
    const holders = this.held.get(value);
    return !holders || holders.size === 0 || (holders.size === 1 && holder !== undefined && holders.has(holder));
  }

  /** A random free number, taken as pending; undefined when there is none. */
  pick(): number | undefined {
    const { from, to } = this.options;
    const size = to - from + 1;
    if (this.held.size + this.pending.size >= size) return undefined;
    const start = randomInt(size);
    for (let offset = 0; offset < size; offset++) {
      const value = from + ((start + offset) % size);
      if (this.isFree(value)) {
        this.pending.add(value);
        return value;
      }
    }
    return undefined;
  }

  reserve(value: number): void {
    this.pending.add(value);
  }

  unreserve(value: number): void {
    this.pending.delete(value);
  }

  hold(value: number, holder: string): void {
    const holders = this.held.get(value);
    if (holders) holders.add(holder);
    else this.held.set(value, new Set([holder]));
  }

  drop(value: number, holder: string): void {
    const holders = this.held.get(value);
    if (!holders?.delete(holder)) return;
    if (holders.size === 0) this.held.delete(value);
  }

  clear(): void {
    this.held.clear();
  }
}
