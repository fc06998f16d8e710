// How a machine is ended: its power button, pressed again while the guest does not react; then QEMU is asked to quit;
// then it is killed. Each with its deadline.

import { type Clock, type Logger, sleep } from '../../kit';
import { endQemu, hasEnded, isRunning } from './process';

export interface PowerOffRequest {
  machine: string;
  pid: number;
  pidFile: string;
  /** A command to QEMU's monitor; one that fails because QEMU is going away is no failure. */
  command: (name: 'system_powerdown' | 'quit') => Promise<void>;
  /** Ends the waiting for the guest: QEMU is quit at once. */
  signal?: AbortSignal;
  logger: Logger;
  clock: Clock;
}

const powerdownDeadlineMs = 30_000;
const powerButtonRepeatMs = 6000;
const quitDeadlineMs = 5000;
const pollMs = 100;

/** Resolves when the process has ended. */
export async function powerOff(request: PowerOffRequest): Promise<void> {
  const { pid, clock } = request;
  const deadline = clock.now() + powerdownDeadlineMs;
  let pressAt = 0;
  while (clock.now() < deadline && (await isRunning(pid))) {
    if (request.signal?.aborted) break;
    if (clock.now() >= pressAt) {
      await request.command('system_powerdown');
      pressAt = clock.now() + powerButtonRepeatMs;
    }
    await sleep(pollMs, { clock });
  }
  if (!(await isRunning(pid))) return;
  request.logger.warn('the guest ignored the power button; ending QEMU', { machine: request.machine });
  await request.command('quit');
  if (!(await hasEnded(pid, { deadlineMs: quitDeadlineMs, clock }))) await endQemu(request.pidFile, { pid, clock });
}
