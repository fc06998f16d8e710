// Looks after a cluster that runs: memory of its processes, machines that fell over, clocks of the guests. Ends with its
// signal; a failure of one look is logged and the next one is made.

import { Backoff, type Logger, sleep } from '../../kit';
import type { Machine } from '../../machines';
import type { GuestClocks } from './guest-clocks';
import { residentBytes } from './usage';

export interface HealthOptions {
  machines: () => readonly Machine[];
  controlPlanePid: () => number | undefined;
  /** Whether the cluster is to run and nothing else is being done to it. */
  watches: () => boolean;
  /** Whether the last try to bring machines back failed: it is made again, further and further apart. */
  unfinished: () => boolean;
  /** Whether machines may be logged in to: they are not being stopped or deleted. */
  connects: () => boolean;
  /** Says that these went down; then, after a pause, brings them back unless something else is being done by then. */
  onDown: (names: readonly string[]) => void;
  recover: () => Promise<void>;
  clocks: GuestClocks;
  onChange: () => void;
  logger: Logger;
  signal: AbortSignal;
  intervalMs: number;
  /** Pause before machines are brought back the first time. */
  restartMs: number;
}

export class Health {
  private readonly memory = new Map<string, number | undefined>();
  private readonly restarts: Backoff<string>;
  private measured = '';

  constructor(private readonly options: HealthOptions) {
    this.restarts = new Backoff<string>({ baseMs: options.restartMs, maxMs: 60_000 });
    void this.run();
    void options.clocks.run({
      machines: () => (options.connects() ? running(options.machines()) : []),
      signal: options.signal,
    });
  }

  /** Resident bytes of a machine's process, or of "control-plane". */
  residentBytes(name: string): number | undefined {
    return this.memory.get(name);
  }

  /** All machines are up: the next one that falls over is brought back soon. */
  settled(): void {
    this.restarts.forget('machines');
  }

  private async run(): Promise<void> {
    const { signal, logger } = this.options;
    while (!signal.aborted) {
      try {
        await sleep(this.options.intervalMs, { signal });
        await this.measure();
        await this.bringBack();
      } catch (error) {
        if (!signal.aborted) logger.warn('looking at the machines failed', { error });
      }
    }
  }

  private async bringBack(): Promise<void> {
    const { options } = this;
    if (!options.watches()) return;
    const down = options.machines().filter((machine) => ['stopped', 'failed'].includes(machine.state()));
    if (down.length === 0 && !options.unfinished()) return;
    const waitMs = this.restarts.next('machines');
    const names = down.map((machine) => machine.spec.name);
    options.logger.warn('machines went down and are started again', { machines: names, waitMs });
    if (!options.unfinished()) options.onDown(names);
    await sleep(waitMs, { signal: options.signal });
    await options.recover();
  }

  /** Memory, and states that changed by themselves. */
  private async measure(): Promise<void> {
    const { options } = this;
    const before = this.measured;
    const pid = options.controlPlanePid();
    this.memory.set('control-plane', pid === undefined ? undefined : await residentBytes(pid));
    for (const machine of options.machines()) {
      this.memory.set(machine.spec.name, (await machine.usage())?.residentBytes);
    }
    const states = options.machines().map((machine) => machine.state());
    this.measured = JSON.stringify([states, ...this.memory]);
    if (this.measured !== before) options.onChange();
  }
}

function running(machines: readonly Machine[]): string[] {
  return machines.filter((machine) => machine.state() === 'running').map((machine) => machine.spec.name);
}
