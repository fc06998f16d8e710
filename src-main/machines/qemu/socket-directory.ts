// Where a machine's UNIX sockets live. Their paths may be at most 107 bytes, so a deep cluster folder gets a short folder
// of its own under the temporary directory, private to this user and named after the cluster folder.

import { createHash } from 'node:crypto';
import { lstat, mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PilothouseError } from '../../kit';

const pathLimit = 107;
const longestName = 'network.sock';

/** The folder's name for sockets of `machineDirectory`: itself when short enough. Pure. */
export function socketDirectoryFor(machineDirectory: string, temporary = tmpdir()): string {
  if (Buffer.byteLength(join(machineDirectory, longestName)) <= pathLimit) return machineDirectory;
  const digest = createHash('sha256').update(machineDirectory).digest('hex').slice(0, 16);
  return join(temporary, `pilothouse-${process.getuid?.() ?? 0}`, digest);
}

/** Makes the folder, refusing one that another user could have prepared. */
export async function makeSocketDirectory(machineDirectory: string): Promise<string> {
  const directory = socketDirectoryFor(machineDirectory);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  if (directory === machineDirectory) return directory;
  for (const path of [join(directory, '..'), directory]) {
    const found = await lstat(path);
    if (!found.isDirectory() || found.uid !== process.getuid?.() || (found.mode & 0o077) !== 0) {
      throw new PilothouseError({
        code: 'SOCKET_DIRECTORY_UNSAFE',
        message: `${path} is not a private folder of this user`,
        hint: `Remove ${path} and retry.`,
      });
    }
  }
  return directory;
}
