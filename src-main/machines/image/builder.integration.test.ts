import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isRunning } from '../qemu/process';
import { endBuilder, rememberBuilder } from './builder';

let output: string;
let children: ChildProcess[];

/** A group of two processes whose leader has the words on its command line. */
function group(...words: string[]): number {
  const child = spawn('sh', ['-c', 'sleep 300 & wait', ...words], { detached: true, stdio: 'ignore' });
  children.push(child);
  return child.pid!;
}

beforeEach(async () => {
  output = await mkdtemp(join(tmpdir(), 'pilothouse-builder-'));
  children = [];
});
afterEach(async () => {
  for (const { pid, exitCode, signalCode } of children) {
    if (exitCode === null && signalCode === null) process.kill(-pid!, 'SIGKILL');
  }
  await rm(output, { recursive: true, force: true });
});

describe('a build whose host was killed', () => {
  it('is ended with its whole group', async () => {
    const pid = group('build', join(output, 'rootfs.tar'));
    rememberBuilder(output, pid);
    await endBuilder(output);
    expect(() => process.kill(-pid, 0)).toThrow('ESRCH');
  });

  it("is never mistaken for another program that got its pid's number", async () => {
    const stranger = group('something else');
    rememberBuilder(output, stranger);
    await endBuilder(output);
    expect(await isRunning(stranger)).toBe(true);
  });

  it('may have left no trace', async () => {
    await endBuilder(output);
    await endBuilder(join(output, 'nowhere'));
  });
});
