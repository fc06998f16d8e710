// What this computer needs before it can run machines, as records a window or a set-up script can list.

import { access, constants } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { freeDiskBytes, readHostCapacity } from './host-capacity';

export interface Requirement {
  id: string;
  /** What is needed and what for. */
  description: string;
  ok: boolean;
  /** What to do when it is not ok. */
  hint: string;
  /** Without it no machine can be made; otherwise things are only slower or tighter. */
  fatal: boolean;
  /** Debian package that provides it, for a set-up that installs. */
  debianPackage?: string;
}

interface ProgramRequirement {
  program: string;
  debianPackage: string;
  purpose: string;
}

const programs: readonly ProgramRequirement[] = [
  { program: 'qemu-system-x86_64', debianPackage: 'qemu-system-x86', purpose: 'runs the machines' },
  { program: 'qemu-img', debianPackage: 'qemu-utils', purpose: "makes the machines' disks" },
  { program: 'mmdebstrap', debianPackage: 'mmdebstrap', purpose: 'builds the node image' },
  { program: 'mkfs.ext4', debianPackage: 'e2fsprogs', purpose: 'builds the node image' },
  { program: 'cpio', debianPackage: 'cpio', purpose: 'builds the node image' },
  { program: 'zstd', debianPackage: 'zstd', purpose: 'builds the node image' },
  { program: 'xz', debianPackage: 'xz-utils', purpose: 'builds the node image' },
];
/** Only an ordinary user needs a user namespace for the build. */
const userPrograms: readonly ProgramRequirement[] = [
  { program: 'newuidmap', debianPackage: 'uidmap', purpose: 'builds the node image without root' },
];

/** System programs are not in every user's PATH. */
const systemFolders = ['/usr/sbin', '/sbin', '/usr/local/sbin'];

async function onPath(program: string): Promise<boolean> {
  const folders = [...(process.env.PATH ?? '').split(delimiter).filter(Boolean), ...systemFolders];
  const found = await Promise.all(
    folders.map((folder) =>
      access(join(folder, program), constants.X_OK).then(
        () => true,
        () => false,
      ),
    ),
  );
  return found.includes(true);
}

async function programRequirement({ program, debianPackage, purpose }: ProgramRequirement): Promise<Requirement> {
  return {
    id: program,
    description: `${program} ${purpose}`,
    ok: await onPath(program),
    hint: `Install the package ${debianPackage}: apt install ${debianPackage}`,
    fatal: true,
    debianPackage,
  };
}

/** All requirements of the qemu driver on this host; each is checked now. */
export async function hostRequirements(options: { directory?: string } = {}): Promise<Requirement[]> {
  const directory = options.directory ?? join(homedir(), '.pilothouse');
  const wanted = process.getuid?.() === 0 ? programs : [...programs, ...userPrograms];
  const [found, capacity, free, kvm] = await Promise.all([
    Promise.all(wanted.map(programRequirement)),
    readHostCapacity(directory),
    freeDiskBytes(directory),
    access('/dev/kvm', constants.R_OK | constants.W_OK).then(
      () => true,
      () => false,
    ),
  ]);
  return [
    ...found,
    {
      id: 'disk-space',
      description: 'room for the node image and the disks of the machines',
      ok: free >= 6 * 1024 ** 3,
      hint: `Free at least 6 GiB where ${directory} is; ${(free / 1024 ** 3).toFixed(1)} GiB are free.`,
      fatal: free < 3 * 1024 ** 3,
    },
    {
      id: 'memory',
      description: 'memory for one machine',
      ok: capacity.freeMemoryMiB >= 1536,
      hint: `A small machine needs 1 GiB and QEMU some more; ${capacity.freeMemoryMiB} MiB are free.`,
      fatal: capacity.freeMemoryMiB < 768,
    },
    {
      id: 'accelerator',
      description: 'hardware virtualization; proved by booting once when the first machine starts',
      ok: kvm,
      hint: 'Without /dev/kvm machines are emulated and several times slower. Switch virtualization on in the firmware, or join the group kvm.',
      fatal: false,
    },
  ];
}
