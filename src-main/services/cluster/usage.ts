// Memory of a process, as the system counts it.

import { readFile } from 'node:fs/promises';
import { isMissing } from '../files';

const pageBytes = 4096;

/** Resident bytes of a process; undefined when it is gone or this system does not tell. */
export async function residentBytes(pid: number): Promise<number | undefined> {
  if (process.platform !== 'linux') return undefined;
  try {
    const fields = (await readFile(`/proc/${pid}/statm`, 'utf8')).split(' ');
    return Number(fields[1]) * pageBytes;
  } catch (error) {
    // ESRCH: it ended while being read.
    if (isMissing(error) || (error instanceof Error && 'code' in error && error.code === 'ESRCH')) return undefined;
    throw error;
  }
}
