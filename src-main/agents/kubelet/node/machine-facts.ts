// Facts about the machine from /proc, /sys and /etc.

import { readFile, readdir, statfs } from 'node:fs/promises';
import { arch, cpus, hostname, release } from 'node:os';
import type { Health, MachineFacts } from './node-status';

async function text(path: string): Promise<string> {
  try {
    return (await readFile(path, 'utf8')).trim();
  } catch (error) {
    // A machine without DMI, or a container without /etc/machine-id: the field stays empty.
    if (['ENOENT', 'EACCES'].includes((error as NodeJS.ErrnoException).code ?? '')) return '';
    throw error;
  }
}

function memory(meminfo: string, key: string): number {
  return Number(new RegExp(`^${key}:\\s+(\\d+) kB`, 'm').exec(meminfo)?.[1] ?? 0) * 1024;
}

/** CAP_SYS_RESOURCE */
const sysResource = 24n;

/** Kubernetes names architectures as Go does. */
const architectures: Record<string, string> = { x64: 'amd64', ia32: '386' };

export async function readMachineFacts(root: string): Promise<MachineFacts> {
  const [meminfo, osRelease, machineID, systemUUID, bootID, disk, status] = await Promise.all([
    text('/proc/meminfo'),
    text('/etc/os-release'),
    text('/etc/machine-id'),
    text('/sys/class/dmi/id/product_uuid'),
    text('/proc/sys/kernel/random/boot_id'),
    statfs(root),
    text('/proc/self/status'),
  ]);
  const capabilities = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)/m.exec(status)?.[1] ?? '0'}`);
  return {
    hostname: hostname(),
    cpus: cpus().length,
    memoryBytes: memory(meminfo, 'MemTotal'),
    oomScoreFloor: (capabilities >> sysResource) & 1n ? -1000 : 0,
    diskBytes: disk.blocks * disk.bsize,
    machineID,
    systemUUID: systemUUID || machineID,
    bootID,
    kernelVersion: release(),
    osImage: /^PRETTY_NAME="?([^"\n]*)"?/m.exec(osRelease)?.[1] ?? 'Linux',
    architecture: architectures[arch()] ?? arch(),
  };
}

export async function readHealth(root: string): Promise<Omit<Health, 'runtimeProblem' | 'networkProblem'>> {
  const [meminfo, pidMax, processes, disk] = await Promise.all([
    text('/proc/meminfo'),
    text('/proc/sys/kernel/pid_max'),
    readdir('/proc'),
    statfs(root),
  ]);
  const pids = processes.filter((name) => /^\d+$/.test(name)).length;
  return {
    memoryAvailableBytes: memory(meminfo, 'MemAvailable'),
    diskAvailableBytes: disk.bavail * disk.bsize,
    processShare: pids / (Number(pidMax) || 32_768),
  };
}
