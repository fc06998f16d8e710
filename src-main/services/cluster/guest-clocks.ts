// Keeps the guests' clocks right. A guest's clock stands still while this computer sleeps or its process is stopped, and
// certificates, leases and logs are wrong from then on. Looked at regularly, and at once when this process itself slept.

import { type Logger, messageOf, sleep } from '../../kit';
import type { SshSession } from '../../machines';

export interface GuestClocksOptions {
  connect: (machine: string) => Promise<SshSession>;
  logger: Logger;
  /** Between two looks at a guest. */
  checkMs?: number;
  /** How often this process looks whether it slept. */
  tickMs?: number;
  now?: () => number;
}

const usualCheckMs = 30_000;
const usualTickMs = 5_000;
/** A tick later than this means that this computer slept. */
const sleptMs = 4_000;
const tolerableMs = 2_000;
const commandDeadlineMs = 15_000;

export class GuestClocks {
  private readonly sessions = new Map<string, SshSession>();
  private readonly now: () => number;

  constructor(private readonly options: GuestClocksOptions) {
    this.now = options.now ?? (() => Date.now());
  }

  /** Looks at the machines named at each time until the signal. */
  async run(request: { machines: () => readonly string[]; signal: AbortSignal }): Promise<void> {
    const { checkMs = usualCheckMs, tickMs = usualTickMs } = this.options;
    const { signal } = request;
    let checkedAt = this.now();
    try {
      while (!signal.aborted) {
        const before = this.now();
        await sleep(Math.min(tickMs, checkMs), { signal });
        const slept = this.now() - before > tickMs + sleptMs;
        if (!slept && this.now() - checkedAt < checkMs) continue;
        checkedAt = this.now();
        await Promise.all(request.machines().map((machine) => this.check(machine)));
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      for (const machine of this.sessions.keys()) this.forget(machine);
    }
  }

  /** Sets the guest's clock when it is wrong by more than two seconds; a guest that does not answer is left for later. */
  async check(machine: string): Promise<void> {
    const { logger } = this.options;
    try {
      const session = await this.session(machine);
      const asked = this.now();
      const { stdout } = await session.run('date +%s%3N', { deadlineMs: commandDeadlineMs, what: 'reading the clock' });
      const answered = this.now();
      const drift = Number(stdout) - (asked + answered) / 2;
      const uncertainty = (answered - asked) / 2;
      if (!Number.isFinite(drift) || Math.abs(drift) <= tolerableMs + uncertainty) return;
      const target = ((this.now() + uncertainty) / 1000).toFixed(3);
      await session.run(`date -s @${target} >/dev/null`, { deadlineMs: commandDeadlineMs, what: 'setting the clock' });
      logger.info('the clock of a machine was wrong and is set', { machine, driftSeconds: Math.round(drift / 1000) });
    } catch (error) {
      logger.debug('the clock of a machine cannot be read now', { machine, reason: messageOf(error) });
      this.forget(machine);
    }
  }

  /** Kept open: under emulation a login costs seconds of CPU, a command on an open session hardly any. */
  private async session(machine: string): Promise<SshSession> {
    const open = this.sessions.get(machine);
    if (open) return open;
    const session = await this.options.connect(machine);
    this.sessions.set(machine, session);
    return session;
  }

  private forget(machine: string): void {
    void this.sessions.get(machine)?.dispose();
    this.sessions.delete(machine);
  }
}
