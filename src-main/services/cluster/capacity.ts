// Whether this computer can hold a cluster: at all, asked before anything is made, and right now, asked before machines
// are started. Each machine alone may fit where all of them together do not.

import type { CreateClusterRequest } from '../../contract';
import { PilothouseError } from '../../kit';

export interface HostCapacity {
  cpus: number;
  memoryMiB: number;
  /** What new programs could have. */
  freeMemoryMiB: number;
  freeDiskGiB: number;
}

/** What a node's own system and images take at least on disk (its disk is sparse: it grows as it is used). */
const nodeDiskGiB = 1;
/** The node image, once. */
const imageGiB = 2;

/** Error NOT_ENOUGH_CPUS, NOT_ENOUGH_MEMORY or NOT_ENOUGH_DISK (details.field). */
export function checkCapacity(request: CreateClusterRequest, host: HostCapacity): void {
  const { nodes } = request;
  const count = nodes === 1 ? '1 node' : `${nodes} nodes`;
  const need = nodes === 1 ? 'needs' : 'need';
  if (request.cpus > host.cpus) {
    throw new PilothouseError({
      code: 'NOT_ENOUGH_CPUS',
      message: `cpus: a node with ${request.cpus} CPUs is not possible here, this computer has ${host.cpus}`,
      hint: `Allowed here: 1 to ${host.cpus} for each node.`,
      details: { field: 'cpus' },
    });
  }
  const wantedMiB = nodes * request.memoryMiB;
  if (wantedMiB > host.memoryMiB) {
    throw new PilothouseError({
      code: 'NOT_ENOUGH_MEMORY',
      message: `memoryMiB: ${count} with ${request.memoryMiB} MiB ${need} ${wantedMiB} MiB, this computer has ${host.memoryMiB} MiB`,
      hint: `Allowed here: at most ${Math.floor(host.memoryMiB / nodes)} MiB per node.`,
      details: { field: 'memoryMiB' },
    });
  }
  if (wantedMiB > host.freeMemoryMiB) {
    throw new PilothouseError({
      code: 'NOT_ENOUGH_MEMORY',
      message: `memoryMiB: ${count} with ${request.memoryMiB} MiB ${need} ${wantedMiB} MiB, ${host.freeMemoryMiB} MiB of this computer's ${host.memoryMiB} MiB are free now`,
      hint: `Close something or stop another cluster, or give each node at most ${Math.floor(host.freeMemoryMiB / nodes)} MiB.`,
      details: { field: 'memoryMiB' },
      retryable: true,
    });
  }
  const wantedGiB = nodes * nodeDiskGiB + imageGiB;
  if (wantedGiB > host.freeDiskGiB) {
    throw new PilothouseError({
      code: 'NOT_ENOUGH_DISK',
      message: `nodes: ${count} ${need} about ${wantedGiB} GiB of free disk to begin with, there are ${host.freeDiskGiB.toFixed(1)} GiB`,
      hint: 'Free some disk space, or set PILOTHOUSE_HOME to another disk.',
      details: { field: 'nodes' },
    });
  }
}

export interface StartingMachine {
  name: string;
  memoryMiB: number;
  /** It has no disk yet. */
  isNew: boolean;
}

/** For machines about to be started at once. Error HOST_MEMORY or DISK_SPACE (retryable), naming them. */
export function checkTogether(machines: readonly StartingMachine[], host: HostCapacity): void {
  const wantedMiB = machines.reduce((sum, machine) => sum + machine.memoryMiB, 0);
  if (wantedMiB > host.freeMemoryMiB) {
    throw new PilothouseError({
      code: 'HOST_MEMORY',
      message: `${namesOf(machines)} ${wantedMiB} MiB of memory, ${host.freeMemoryMiB} MiB are free`,
      hint: 'Close something or stop another cluster, then retry.',
      retryable: true,
    });
  }
  const fresh = machines.filter((machine) => machine.isNew);
  if (fresh.length * nodeDiskGiB > host.freeDiskGiB) {
    throw new PilothouseError({
      code: 'DISK_SPACE',
      message: `${namesOf(fresh)} about ${fresh.length * nodeDiskGiB} GiB of disk to begin with, ${host.freeDiskGiB.toFixed(1)} GiB are free`,
      hint: 'Free some disk space where the clusters are kept, then retry.',
      retryable: true,
    });
  }
}

function namesOf(machines: readonly StartingMachine[]): string {
  const names = machines.map((machine) => machine.name);
  return names.length === 1 ? `${names[0]} needs` : `${names.join(', ')} together need`;
}
