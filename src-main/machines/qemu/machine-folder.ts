// What one machine has on disk: machine.json, disk.qcow2 over an image, and the files of its process. Every file appears
// whole or not at all, so that an interruption at any moment leaves a folder that can be gone on with.

import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runCommand } from '../command';
import { within } from '../duration';
import type { NodeImage } from '../image/image-cache';
import type { MachineSpec } from '../machine';
import { makeSocketDirectory } from './socket-directory';

/** What machine.json holds. */
export interface MachineRecord {
  spec: MachineSpec;
  sshPort?: number;
  hostKeyFingerprint?: string;
}

type MachineFile = 'disk.qcow2' | 'console.log' | 'qemu.pid' | 'qemu.log' | 'machine.json' | 'image';

export class MachineFolder {
  constructor(readonly directory: string) {}

  path(name: MachineFile): string {
    return join(this.directory, name);
  }

  async make(): Promise<void> {
    await mkdir(this.directory, { recursive: true, mode: 0o700 });
  }

  async remove(): Promise<void> {
    await rm(await this.sockets(), { recursive: true, force: true });
    await rm(this.directory, { recursive: true, force: true });
  }

  /** The folder of its sockets, made when missing: their paths must be short. */
  sockets(): Promise<string> {
    return makeSocketDirectory(this.directory);
  }

  async save(record: MachineRecord): Promise<void> {
    const path = this.path('machine.json');
    await this.make();
    await within({ ms: 10_000, late: `${path} was not written` }, async () => {
      await writeFile(`${path}.new`, `${JSON.stringify(record, undefined, 2)}\n`, { mode: 0o600 });
      await rename(`${path}.new`, path);
    });
  }

  async hasDisk(): Promise<boolean> {
    return stat(this.path('disk.qcow2')).then(
      () => true,
      () => false,
    );
  }

  /** An overlay of the requested size over the image's disk. */
  async makeDisk(image: NodeImage, options: { diskGiB: number; signal: AbortSignal }): Promise<void> {
    await this.make();
    const partial = `${this.path('disk.qcow2')}.new`;
    const { diskGiB, signal } = options;
    await runCommand(
      ['qemu-img', 'create', '-q', '-f', 'qcow2', '-b', image.disk, '-F', 'raw', partial, `${diskGiB}G`],
      { deadlineMs: 30_000, signal, what: 'making the disk with qemu-img' },
    );
    await writeFile(this.path('image'), image.hash);
    await rename(partial, this.path('disk.qcow2'));
  }

  /** The recipe hash of the image the disk was made over: the machine must keep booting that image's kernel. */
  async imageHash(): Promise<string | undefined> {
    try {
      return await readFile(this.path('image'), 'utf8');
    } catch (error) {
      // Absent = no disk was made yet. Unreadable must not pass for that: another kernel would be booted.
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  }
}
