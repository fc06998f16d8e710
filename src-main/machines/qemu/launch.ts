// Starts one QEMU process and waits until it can be talked to; says what it printed when that fails.

import { spawn } from 'node:child_process';
import { open, readFile, rm } from 'node:fs/promises';
import { type Clock, type Logger, PilothouseError, sleep } from '../../kit';
import { printable, tailOf } from '../command';
import { duration } from '../duration';
import { qemuProgram } from './command-line';
import type { MachineFolder } from './machine-folder';
import { endQemu, findQemu } from './process';

export interface LaunchRequest {
  machine: string;
  folder: MachineFolder;
  /** The command line after the program; names the folder's pid file. */
  line: string[];
  /** Connects to the process; tried again until it succeeds. */
  attach: (pid: number) => Promise<void>;
  logger: Logger;
  clock: Clock;
}

const startDeadlineMs = 15_000;
const pollMs = 100;

/** Error QEMU_FAILED (details command, exitCode, outputTail); no process is left then. */
export async function launchQemu(request: LaunchRequest): Promise<void> {
  const { folder, line, clock } = request;
  await rm(folder.path('qemu.pid'), { force: true });
  const exit = await start(request);
  const deadline = clock.now() + startDeadlineMs;
  for (;;) {
    const pid = await findQemu(folder.path('qemu.pid'));
    if (pid !== undefined && !exit.how) {
      const attached = await request.attach(pid).then(
        () => true,
        () => false,
      );
      if (attached) return;
    }
    if (exit.how || clock.now() > deadline) {
      await endQemu(folder.path('qemu.pid'), { pid, clock });
      throw await startFailure(request, { line, exit: exit.how });
    }
    await sleep(pollMs, { clock });
  }
}

type Exit = { code: number | null; error?: Error };

async function start({ folder, line, machine, logger }: LaunchRequest): Promise<{ how?: Exit }> {
  const exit: { how?: Exit } = {};
  const log = await open(folder.path('qemu.log'), 'w', 0o600);
  try {
    // Its own session: an interrupt typed at the terminal of the host must not reach the machines.
    const child = spawn(qemuProgram, line, { detached: true, stdio: ['ignore', log.fd, log.fd] });
    child.once('error', (error) => (exit.how = { code: null, error }));
    child.once('exit', (code) => (exit.how = { code }));
    child.unref();
    logger.debug('QEMU started', { machine, command: printable([qemuProgram, ...line]) });
  } finally {
    await log.close();
  }
  return exit;
}

async function startFailure(
  { machine, folder }: LaunchRequest,
  failure: { line: string[]; exit: Exit | undefined },
): Promise<PilothouseError> {
  const output = await readFile(folder.path('qemu.log'), 'utf8').catch(() => '');
  const { exit } = failure;
  const details = {
    command: printable([qemuProgram, ...failure.line]),
    exitCode: exit?.code ?? undefined,
    outputTail: tailOf(output),
  };
  if (exit?.error) {
    return new PilothouseError({
      code: 'QEMU_FAILED',
      message: `${qemuProgram} for ${machine} could not be started: ${exit.error.message}`,
      hint: 'Install QEMU: apt install qemu-system-x86',
      cause: exit.error,
      details,
      retryable: true,
    });
  }
  const first = output.trim().split('\n')[0] ?? '';
  const how = exit ? `exited with ${exit.code ?? 'a signal'}` : `did not answer within ${duration(startDeadlineMs)}`;
  return new PilothouseError({
    code: 'QEMU_FAILED',
    message: `QEMU for ${machine} ${how}${first ? `: ${first}` : ''}`,
    hint: 'Read what QEMU printed; not enough free memory and a disk in use by another QEMU are the usual causes.',
    details,
    retryable: true,
  });
}
