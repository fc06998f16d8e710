// CrashLoopBackOff: the first restart is at once, then 10 s, 20 s, … 5 min after each end; forgotten after 10 minutes
// without a restart. Kept in memory, as upstream does: a kubelet restart gives every container a fresh start.

export interface RestartBackoffOptions {
  baseMs: number;
  maxMs: number;
}

interface Entry {
  delayMs: number;
  updatedAt: number;
}

export class RestartBackoff {
  private readonly entries = new Map<string, Entry>();

  constructor(private readonly options: RestartBackoffOptions = { baseMs: 10_000, maxMs: 300_000 }) {}

  /** Milliseconds still to wait and the whole delay, for something that ended (or failed) at `since`. */
  remaining(key: string, times: { since: number; now: number }): { waitMs: number; delayMs: number } {
    const entry = this.live(key, times.now);
    if (!entry) return { waitMs: 0, delayMs: 0 };
    return { waitMs: Math.max(0, times.since + entry.delayMs - times.now), delayMs: entry.delayMs };
  }

  /** Notes a try at `now`: the next one waits twice as long. */
  next(key: string, now: number): void {
    const entry = this.live(key, now);
    const delayMs = entry ? Math.min(entry.delayMs * 2, this.options.maxMs) : this.options.baseMs;
    this.entries.set(key, { delayMs, updatedAt: now });
  }

  forget(prefix: string): void {
    for (const key of this.entries.keys()) if (key.startsWith(prefix)) this.entries.delete(key);
  }

  private live(key: string, now: number): Entry | undefined {
    const entry = this.entries.get(key);
    if (entry && now - entry.updatedAt > 2 * this.options.maxMs) {
      this.entries.delete(key);
      return undefined;
    }
    return entry;
  }
}

/** Go's duration text for the delays above: 10s, 1m20s, 5m0s. */
export function durationText(ms: number): string {
  const seconds = Math.round(ms / 1000);
  return seconds < 60 ? `${seconds}s` : `${Math.floor(seconds / 60)}m${seconds % 60}s`;
}
