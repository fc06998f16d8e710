// Replaces the files of a volume all at once: they live in a dated directory that `..data` points to, and the names a
// container sees are links through `..data`. Exchanging that one link is the update.

import { randomBytes } from 'node:crypto';
import { chmod, lstat, mkdir, readFile, readdir, readlink, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join, normalize } from 'node:path';
import { PilothouseError } from '../../../kit';

export interface ProjectedFile {
  data: Buffer;
  mode: number;
}

/** Relative path to content. */
export type Payload = Map<string, ProjectedFile>;

function checkPath(path: string): void {
  const clean = normalize(path);
  if (path === '' || clean.startsWith('/') || clean.split('/')[0]!.startsWith('..')) {
    throw new PilothouseError({ code: 'VOLUME_PATH', message: `invalid path in volume: "${path}"` });
  }
}

async function isCurrent(directory: string, payload: Payload): Promise<boolean> {
  const data = join(directory, '..data');
  try {
    const names = (await readdir(data, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
    if (names.length !== payload.size) return false;
    for (const [path, file] of payload) {
      const info = await lstat(join(data, path));
      if ((info.mode & 0o777) !== file.mode) return false;
      if (!(await readFile(join(data, path))).equals(file.data)) return false;
    }
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}

/** True when anything changed. Safe to run again after an interruption at any point. */
export async function writeAtomically(directory: string, payload: Payload): Promise<boolean> {
  for (const path of payload.keys()) checkPath(path);
  await mkdir(directory, { recursive: true, mode: 0o755 });
  if (await isCurrent(directory, payload)) return false;
  const dated = `..${new Date().toISOString().replace(/[-:TZ]/g, '_')}${randomBytes(4).toString('hex')}`;
  const fresh = join(directory, dated);
  await mkdir(fresh, { mode: 0o755 });
  for (const [path, file] of payload) {
    await mkdir(dirname(join(fresh, path)), { recursive: true, mode: 0o755 });
    await writeFile(join(fresh, path), file.data, { mode: file.mode });
    await chmod(join(fresh, path), file.mode);
  }
  const link = join(directory, '..data_tmp');
  await rm(link, { force: true });
  await symlink(dated, link);
  await rename(link, join(directory, '..data'));
  const visible = new Set([...payload.keys()].map((path) => normalize(path).split('/')[0]!));
  for (const name of await readdir(directory)) {
    if (name === '..data' || name === dated) continue;
    if (!visible.has(name)) await rm(join(directory, name), { recursive: true, force: true });
  }
  for (const name of visible) {
    const target = join('..data', name);
    const present = await readlink(join(directory, name)).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'EINVAL') return undefined;
      throw error;
    });
    if (present === target) continue;
    await rm(join(directory, name), { recursive: true, force: true });
    await symlink(target, join(directory, name));
  }
  return true;
}
