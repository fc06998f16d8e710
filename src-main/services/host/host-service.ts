// HostService: what this computer is and has.

import { statfs } from 'node:fs/promises';
import { availableParallelism, freemem, totalmem } from 'node:os';
import type { HostService, HostView, RequirementView } from '../../contract';
import type { HostCapacity } from '../cluster/capacity';

const mib = 1024 * 1024;

export interface HostServiceOptions {
  version: string;
  shell: HostView['shell'];
  home: string;
  requirements: () => Promise<RequirementView[]>;
  /** Stops everything and ends the process soon after it resolved. */
  shutdown: () => Promise<void>;
}

export function createHostService(options: HostServiceOptions): HostService {
  return {
    shutdown: options.shutdown,
    async info() {
      const { memoryMiB, freeDiskGiB } = await hostCapacity(options.home);
      return {
        version: options.version,
        shell: options.shell,
        platform: `${process.platform}-${process.arch}`,
        cpus: availableParallelism(),
        memoryMiB,
        freeMemoryMiB: Math.floor(freemem() / mib),
        freeDiskGiB,
        home: options.home,
        residentBytes: process.memoryUsage.rss(),
        requirements: await options.requirements(),
      };
    },
  };
}

/** Memory of this computer and free disk below `directory`. */
export async function hostCapacity(directory: string): Promise<HostCapacity> {
  const disk = await statfs(directory);
  return { memoryMiB: Math.floor(totalmem() / mib), freeDiskGiB: (disk.bavail * disk.bsize) / mib / 1024 };
}
