// Whether a machine of this size can exist on this host: one clear error for the first thing that is wrong. Pure.

import { PilothouseError } from '../kit';
import type { MachineSpec } from './machine';

export interface HostCapacity {
  cpus: number;
  memoryMiB: number;
  freeMemoryMiB: number;
  freeDiskGiB: number;
  /** Machines the node network can hold. */
  machines: number;
}

export const specLimits = { memoryMiB: 512, diskGiB: 4, nameLength: 63 } as const;

/** What a new disk takes at first: it grows as the guest writes. */
const initialDiskGiB = 1;

function refuse(field: keyof MachineSpec, message: string, hint: string): never {
  throw new PilothouseError({
    code: 'INVALID_MACHINE_SPEC',
    message: `${field}: ${message}`,
    hint,
    details: { field },
  });
}

/** Throws INVALID_MACHINE_SPEC (details.field), or HOST_MEMORY and DISK_SPACE when only the moment is wrong. */
export function validateSpec(
  spec: MachineSpec,
  host: HostCapacity,
  options: { running: boolean; hasDisk: boolean },
): void {
  if (!/^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/.test(spec.name) || spec.name.length > specLimits.nameLength) {
    refuse(
      'name',
      `"${spec.name}" is not a DNS label`,
      'Use lower-case letters, digits and inner hyphens, at most 63.',
    );
  }
  if (!Number.isInteger(spec.number) || spec.number < 1 || spec.number > host.machines) {
    refuse(
      'number',
      `${spec.number} has no address in the node network`,
      `Use a whole number from 1 to ${host.machines}.`,
    );
  }
  if (!Number.isInteger(spec.cpus) || spec.cpus < 1 || spec.cpus > host.cpus) {
    refuse('cpus', `${spec.cpus} is not possible here`, `This computer has ${host.cpus}: use 1 to ${host.cpus}.`);
  }
  if (!Number.isInteger(spec.memoryMiB) || spec.memoryMiB < specLimits.memoryMiB || spec.memoryMiB > host.memoryMiB) {
    refuse(
      'memoryMiB',
      `${spec.memoryMiB} MiB is not possible here`,
      `A node needs at least ${specLimits.memoryMiB} MiB; this computer has ${host.memoryMiB} MiB.`,
    );
  }
  if (!Number.isInteger(spec.diskGiB) || spec.diskGiB < specLimits.diskGiB) {
    refuse('diskGiB', `${spec.diskGiB} GiB is too small`, `A node needs at least ${specLimits.diskGiB} GiB.`);
  }
  if (!options.running && spec.memoryMiB > host.freeMemoryMiB) {
    throw new PilothouseError({
      code: 'HOST_MEMORY',
      message: `${spec.name} needs ${spec.memoryMiB} MiB of memory, ${host.freeMemoryMiB} MiB are free`,
      hint: 'Close something, stop another machine, or give this one less memory.',
      retryable: true,
    });
  }
  if (!options.hasDisk && host.freeDiskGiB < initialDiskGiB) {
    throw new PilothouseError({
      code: 'DISK_SPACE',
      message: `there is no room for the disk of ${spec.name}`,
      hint: 'Free at least 1 GiB where the cluster is kept, then retry.',
      retryable: true,
    });
  }
}
