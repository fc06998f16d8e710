// What this computer has to give, read at the moment it is asked for.

import { readFile, statfs } from 'node:fs/promises';
import { availableParallelism, freemem, totalmem } from 'node:os';
import { dirname } from 'node:path';

const mebibyte = 1024 ** 2;

/** Memory a new program could have: Linux' own estimate, which counts reclaimable caches. */
async function availableMemory(): Promise<number> {
  const text = await readFile('/proc/meminfo', 'utf8').catch(() => '');
  const match = /^MemAvailable:\s+(\d+) kB/m.exec(text);
  return match ? Number(match[1]) * 1024 : freemem();
}

/** Free bytes of the file system that holds `path`, which need not exist yet. */
export async function freeDiskBytes(path: string): Promise<number> {
  for (let directory = path; ; directory = dirname(directory)) {
    try {
      const { bavail, bsize } = await statfs(directory);
      return bavail * bsize;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || directory === dirname(directory)) throw error;
    }
  }
}

export async function readHostCapacity(directory: string) {
  const [memory, disk] = await Promise.all([availableMemory(), freeDiskBytes(directory)]);
  return {
    cpus: availableParallelism(),
    memoryMiB: Math.floor(totalmem() / mebibyte),
    freeMemoryMiB: Math.floor(memory / mebibyte),
    freeDiskGiB: disk / 1024 ** 3,
  };
}
