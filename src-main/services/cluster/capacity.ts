// Whether this computer can hold a cluster at all, asked before anything is made.

import type { CreateClusterRequest } from '../../contract';
import { PilothouseError } from '../../kit';

export interface HostCapacity {
  memoryMiB: number;
  freeDiskGiB: number;
}

/** What a node's own system and images take at least on disk (its disk is sparse: it grows as it is used). */
const nodeDiskGiB = 1;
/** The node image, once. */
const imageGiB = 2;

/** Error NOT_ENOUGH_MEMORY or NOT_ENOUGH_DISK (details.field). */
export function checkCapacity(request: CreateClusterRequest, host: HostCapacity): void {
  const wantedMiB = request.nodes * request.memoryMiB;
  if (wantedMiB > host.memoryMiB) {
    throw new PilothouseError({
      code: 'NOT_ENOUGH_MEMORY',
      message: `memoryMiB: ${request.nodes} nodes with ${request.memoryMiB} MiB need ${wantedMiB} MiB, this computer has ${host.memoryMiB} MiB`,
      hint: `Allowed here: at most ${Math.floor(host.memoryMiB / request.nodes)} MiB per node.`,
      details: { field: 'memoryMiB' },
    });
  }
  const wantedGiB = request.nodes * nodeDiskGiB + imageGiB;
  if (wantedGiB > host.freeDiskGiB) {
    throw new PilothouseError({
      code: 'NOT_ENOUGH_DISK',
      message: `nodes: ${request.nodes} nodes need about ${wantedGiB} GiB of free disk to begin with, there are ${host.freeDiskGiB.toFixed(1)} GiB`,
      hint: 'Free some disk space, or set PILOTHOUSE_HOME to another disk.',
      details: { field: 'nodes' },
    });
  }
}
