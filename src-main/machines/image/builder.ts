// The programs of a build outlive a host that is killed. Their process group is written into the build's folder, and
// whoever finds the folder later ends the group before it removes the folder. Only a group whose leader has that very
// folder on its command line is ended: pids are used again.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sleep } from '../../kit';

const pollMs = 100;
const politeMs = 5000;

export function rememberBuilder(output: string, pid: number): void {
  writeFileSync(join(output, 'builder.pid'), String(pid));
}

/** Resolves when no such group is left. */
export async function endBuilder(output: string): Promise<void> {
  const pid = Number(read(join(output, 'builder.pid')));
  if (!Number.isInteger(pid) || pid <= 1 || !read(`/proc/${pid}/cmdline`).includes(output)) return;
  const until = Date.now() + politeMs;
  signalGroup(pid, 'SIGTERM');
  while (signalGroup(pid, 0)) {
    if (Date.now() > until) {
      signalGroup(pid, 'SIGKILL');
      return;
    }
    await sleep(pollMs);
  }
}

/** False when the group is gone. */
function signalGroup(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(-pid, signal);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw error;
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ESRCH') return '';
    throw error;
  }
}
