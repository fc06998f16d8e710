// HostService: what this computer is and has.

import type { HostService, HostView, RequirementView } from '../../contract';
import { readHostCapacity } from '../../machines';
import type { HostCapacity } from '../cluster/capacity';

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
      const { cpus, memoryMiB, freeMemoryMiB, freeDiskGiB } = await hostCapacity(options.home);
      return {
        version: options.version,
        shell: options.shell,
        platform: `${process.platform}-${process.arch}`,
        cpus,
        memoryMiB,
        freeMemoryMiB,
        freeDiskGiB,
        home: options.home,
        residentBytes: process.memoryUsage.rss(),
        requirements: await options.requirements(),
      };
    },
  };
}

/** What this computer has to give now, with the free disk of what holds `directory`. */
export function hostCapacity(directory: string): Promise<HostCapacity> {
  return readHostCapacity(directory);
}
