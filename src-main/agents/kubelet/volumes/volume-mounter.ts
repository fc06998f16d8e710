// Prepares the volumes of a Pod on the node and takes them away again. Running it again brings them up to date.

import { chmod, chown, lstat, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Pod, Volume } from '../../../api';
import type { RunCommand } from '../../process/command';
import type { DownwardFacts } from '../pods/downward';
import type { PodDirectories } from '../pods/pod-directory';
import { byteValue } from '../pods/quantity';
import { writeAtomically } from './atomic-writer';
import { VolumeError, type VolumeSourcesReader, payloadOf, projectedPlugin } from './payload';

export interface VolumeMounterOptions {
  directories: PodDirectories;
  run: RunCommand;
}

export interface MountRequest {
  pod: Pod;
  facts: DownwardFacts;
  reader: VolumeSourcesReader;
}

/** Volume name to its path on the node. */
export type VolumePaths = Map<string, string>;

async function kindAt(path: string): Promise<'absent' | 'directory' | 'file' | 'socket' | 'char' | 'block'> {
  try {
    const info = await stat(path);
    if (info.isDirectory()) return 'directory';
    if (info.isSocket()) return 'socket';
    if (info.isCharacterDevice()) return 'char';
    return info.isBlockDevice() ? 'block' : 'file';
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 'absent';
    throw error;
  }
}

async function checkHostPath(path: string, type: string): Promise<void> {
  const kind = await kindAt(path);
  if (type === '' && kind === 'absent') return void (await mkdir(path, { recursive: true, mode: 0o755 }));
  if (type === 'DirectoryOrCreate' && kind === 'absent')
    return void (await mkdir(path, { recursive: true, mode: 0o755 }));
  if (type === 'FileOrCreate' && kind === 'absent') {
    return writeFile(path, '', { mode: 0o644 });
  }
  const wanted: Record<string, string> = {
    Directory: 'directory',
    DirectoryOrCreate: 'directory',
    File: 'file',
    FileOrCreate: 'file',
    Socket: 'socket',
    CharDevice: 'char',
    BlockDevice: 'block',
  };
  if (type !== '' && wanted[type] !== kind) {
    const names: Record<string, string> = { directory: 'a directory', file: 'a file', socket: 'a socket file' };
    const wish = names[wanted[type] ?? ''] ?? `a ${wanted[type]} device`;
    throw new VolumeError(`hostPath type check failed: ${path} is not ${wish}`);
  }
}

export class VolumeMounter {
  constructor(private readonly options: VolumeMounterOptions) {}

  /** Throws VolumeError with the text for a FailedMount event, naming the volume. */
  async mount(request: MountRequest): Promise<VolumePaths> {
    const paths: VolumePaths = new Map();
    for (const volume of request.pod.spec.volumes ?? []) {
      try {
        paths.set(volume.name, await this.mountOne(volume, request));
      } catch (error) {
        const message = error instanceof Error ? error.message : String(error);
        throw new VolumeError(`MountVolume.SetUp failed for volume "${volume.name}" : ${message}`);
      }
    }
    return paths;
  }

  /** Brings the files of configMap, secret, downwardAPI and projected volumes up to date. */
  async refresh(request: MountRequest): Promise<void> {
    for (const volume of request.pod.spec.volumes ?? []) {
      if (projectedPlugin(volume)) await this.mountOne(volume, request);
    }
  }

  /** Takes away what `rm -r` may not: mounted file systems. */
  async unmount(uid: string): Promise<void> {
    const root = `${this.options.directories.of(uid)}/`;
    const mounts = (await readFile('/proc/self/mounts', 'utf8')).split('\n').map((line) => line.split(' ')[1] ?? '');
    for (const path of mounts.filter((entry) => entry.startsWith(root)).reverse()) {
      await this.options.run(['umount', '-l', path], { allow: 'any' });
    }
  }

  private async mountOne(volume: Volume, request: MountRequest): Promise<string> {
    const { pod } = request;
    const uid = pod.metadata.uid!;
    const { directories } = this.options;
    if (volume.hostPath) {
      await checkHostPath(volume.hostPath.path, volume.hostPath.type ?? '');
      return volume.hostPath.path;
    }
    if (volume.emptyDir) {
      const path = directories.volume(uid, 'empty-dir', volume.name);
      await this.makeEmptyDir(path, volume, pod);
      return path;
    }
    const plugin = projectedPlugin(volume);
    if (plugin) {
      const path = directories.volume(uid, plugin, volume.name);
      await writeAtomically(path, await payloadOf({ ...request, volume }));
      return path;
    }
    const kind = Object.keys(volume).find((key) => key !== 'name') ?? 'none';
    throw new VolumeError(`volume type "${kind}" is not supported on this node`);
  }

  private async makeEmptyDir(path: string, volume: Volume, pod: Pod): Promise<void> {
    const present = await lstat(path).then(
      () => true,
      (error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return false;
        throw error;
      },
    );
    await mkdir(path, { recursive: true, mode: 0o777 });
    if (volume.emptyDir?.medium === 'Memory' && !(await this.isMountPoint(path))) {
      const limit = byteValue(volume.emptyDir.sizeLimit);
      const options = limit ? ['-o', `size=${limit}`] : [];
      await this.options.run(['mount', '-t', 'tmpfs', ...options, 'tmpfs', path]);
    } else if (present) return;
    const group = pod.spec.securityContext?.fsGroup;
    await chmod(path, group === undefined ? 0o777 : 0o2777);
    if (group !== undefined) await chown(path, 0, group);
  }

  private async isMountPoint(path: string): Promise<boolean> {
    const [here, above] = await Promise.all([stat(path), stat(join(path, '..'))]);
    return here.dev !== above.dev;
  }
}
