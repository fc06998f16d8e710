// Files into a guest in one round trip: a tar stream, compared there, moved into place one by one.

import { createHash } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { pack } from 'tar-stream';
import type { NodeFile, SshSession } from '../machine';
import { shellQuote } from '../ssh/session';

function contentOf(file: NodeFile): Buffer {
  return Buffer.from(file.content);
}

/** Whether the guest has all files with this content and mode. Changes nothing. */
export async function filesPresent(session: SshSession, files: readonly NodeFile[]): Promise<boolean> {
  if (files.length === 0) return true;
  const sums = files
    .map((file) => `${createHash('sha256').update(contentOf(file)).digest('hex')}  ${file.path}\n`)
    .join('');
  const paths = files.map((file) => shellQuote(file.path)).join(' ');
  const modes = files.map((file) => file.mode.toString(8)).join('\n');
  const script = `sha256sum -c --status && [ "$(stat -c %a ${paths})" = ${shellQuote(modes)} ]`;
  const { exitCode } = await session.run(script, { stdin: Buffer.from(sums), allowFailure: true });
  return exitCode === 0;
}

const install = `set -eu
umask 022
stage=$(mktemp -d /var/tmp/pilothouse.XXXXXX)
trap 'rm -rf "$stage"' EXIT
tar -xp -C "$stage"
cd "$stage"
find . -type f | while read -r file; do
  target=/\${file#./}
  if cmp -s "$file" "$target" && [ "$(stat -c %a "$file")" = "$(stat -c %a "$target")" ]; then continue; fi
  mkdir -p "\${target%/*}"
  mv -f "$file" "$target.pilothouse-new"
  mv -f "$target.pilothouse-new" "$target"
  echo "$target"
done`;

/** Writes the files that differ, each atomically; answers the paths that changed. */
export async function writeFiles(session: SshSession, files: readonly NodeFile[]): Promise<string[]> {
  if (files.length === 0) return [];
  const archive = pack();
  for (const file of files) {
    const content = contentOf(file);
    archive.entry({ name: file.path.replace(/^\/+/, ''), mode: file.mode, size: content.length }, content);
  }
  archive.finalize();
  const { stdout } = await session.run(install, { stdin: await buffer(archive) });
  return stdout.split('\n').filter(Boolean);
}
