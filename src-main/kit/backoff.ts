// Exponential backoff per key, as client-go's item exponential failure rate limiter.

export interface BackoffOptions {
  baseMs: number;
  maxMs: number;
}

export class Backoff<K> {
  private readonly failures = new Map<K, number>();

  constructor(private readonly options: BackoffOptions) {}

  /** Milliseconds to wait before the next try of `key`; each call counts one failure. */
  next(key: K): number {
    const count = this.failures.get(key) ?? 0;
    this.failures.set(key, count + 1);
    return Math.min(this.options.baseMs * 2 ** Math.min(count, 52), this.options.maxMs);
  }

  failuresOf(key: K): number {
    return this.failures.get(key) ?? 0;
  }

  forget(key: K): void {
    this.failures.delete(key);
  }
}
