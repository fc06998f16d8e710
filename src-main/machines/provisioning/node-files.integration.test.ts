// The shell scripts that run in guests, run here by the host's own shell against a temporary folder.

import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer, text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { SshSession } from '../machine';
import { filesPresent, writeFiles } from './node-files';

const localShell: Pick<SshSession, 'run'> = {
  async run(command, options = {}) {
    const child = spawn('sh', ['-c', command]);
    child.stdin.on('error', () => child.stdin.destroy());
    child.stdin.end(options.stdin && !Buffer.isBuffer(options.stdin) ? await buffer(options.stdin) : options.stdin);
    const exit = new Promise<number>((resolve) => child.once('close', (code) => resolve(code ?? 1)));
    const [stdout, stderr, exitCode] = await Promise.all([text(child.stdout), text(child.stderr), exit]);
    if (exitCode !== 0 && !options.allowFailure) throw new Error(stderr);
    return { exitCode, stdout, stderr };
  },
};

describe('files into a guest', () => {
  const session = localShell as SshSession;
  let directory: string;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'pilothouse files-'));
  });

  afterEach(() => rm(directory, { recursive: true, force: true }));

  it('writes only what differs in content or mode, and sees that afterwards nothing does', async () => {
    const files = [
      { path: join(directory, 'a/b c/key.pem'), content: 'secret', mode: 0o600 },
      { path: join(directory, "it's.txt"), content: Buffer.from([0, 1, 255]), mode: 0o644 },
      { path: join(directory, 'run.sh'), content: '#!/bin/sh\n', mode: 0o755 },
    ];
    expect(await filesPresent(session, files)).toBe(false);
    expect((await writeFiles(session, files)).sort()).toEqual(files.map(({ path }) => path).sort());
    expect((await stat(files[0]!.path)).mode & 0o777).toBe(0o600);
    expect(await readFile(files[1]!.path)).toEqual(Buffer.from([0, 1, 255]));
    expect(await filesPresent(session, files)).toBe(true);
    expect(await writeFiles(session, files)).toEqual([]);
    await writeFile(files[0]!.path, 'changed');
    expect(await filesPresent(session, files)).toBe(false);
    const loosened = files.map((file) => ({ ...file, mode: file.mode === 0o755 ? 0o700 : file.mode }));
    expect((await writeFiles(session, loosened)).sort()).toEqual([files[0]!.path, files[2]!.path].sort());
  });
});
