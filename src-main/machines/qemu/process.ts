// Processes that QEMU runs in: found again by pid file, trusted only when /proc says it is this machine's QEMU.

import { createServer } from 'node:net';
import { readFile } from 'node:fs/promises';
import { type Clock, sleep } from '../../kit';

/** The pid in the file, when that process is alive and runs QEMU for exactly this pid file; never a stranger's. */
export async function findQemu(pidFile: string): Promise<number | undefined> {
  const pid = Number((await readFile(pidFile, 'utf8').catch(() => '')).trim());
  if (!Number.isInteger(pid) || pid <= 1) return undefined;
  const words = (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).split('\0');
  const ours = words[0]?.includes('qemu-system') && words[words.indexOf('-pidfile') + 1] === pidFile;
  return ours && (await isRunning(pid)) ? pid : undefined;
}

/** Whether the process exists and is no zombie. */
export async function isRunning(pid: number): Promise<boolean> {
  const status = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return status !== '' && !/\) [ZX] /.test(status);
}

/** Waits for the end of a process; false when it still runs after that time. */
export async function hasEnded(pid: number, options: { deadlineMs: number; clock: Clock }): Promise<boolean> {
  const { clock } = options;
  const deadline = clock.now() + options.deadlineMs;
  while (await isRunning(pid)) {
    if (clock.now() > deadline) return false;
    await sleep(pollMs, { clock });
  }
  return true;
}

const pollMs = 100;
const killDeadlineMs = 5000;

/** Ends that QEMU at once, as pulling the plug. A pid that is no longer the one of this pid file is left alone. */
export async function endQemu(pidFile: string, options: { pid: number | undefined; clock: Clock }): Promise<void> {
  const { pid, clock } = options;
  if (pid === undefined || (await findQemu(pidFile)) !== pid) return;
  process.kill(pid, 'SIGKILL');
  await hasEnded(pid, { deadlineMs: killDeadlineMs, clock });
}

/** Resident bytes of a process, undefined when it is gone. */
export async function residentBytes(pid: number): Promise<number | undefined> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  const match = /^VmRSS:\s+(\d+) kB/m.exec(status);
  return match ? Number(match[1]) * 1024 : undefined;
}

/** A TCP port of the loopback interface that is free now; the wished one when it still is. */
export function freePort(wished = 0): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) =>
      wished !== 0 && error.code === 'EADDRINUSE' ? resolve(freePort()) : reject(error),
    );
    server.listen(wished, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}
