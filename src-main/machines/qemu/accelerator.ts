// Which accelerator this host really has. A device file proves nothing: an accelerator counts when QEMU boots the node
// image's own kernel with it to the first line on the serial console. The verdict is kept beside the images.

import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { access, constants, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from '../../kit';
import { runCommand } from '../command';
import type { AcceleratorVerdict } from '../machine';
import { acceleratorArguments, qemuProgram } from './command-line';

export interface AcceleratorOptions {
  imagesDirectory: string;
  kernel: string;
  logger: Logger;
}

const proofDeadlineMs = 5000;
const fileName = 'accelerator.json';

interface Remembered extends AcceleratorVerdict {
  key: string;
}

/** The native accelerator of this platform, or why there is none to try. */
async function candidate(): Promise<{ accelerator: AcceleratorVerdict['accelerator'] } | { reason: string }> {
  if (process.platform === 'darwin') return { accelerator: 'hvf' };
  if (process.platform === 'win32') return { accelerator: 'whpx' };
  try {
    await access('/dev/kvm', constants.R_OK | constants.W_OK);
    return { accelerator: 'kvm' };
  } catch (error) {
    const denied = (error as NodeJS.ErrnoException).code === 'EACCES';
    return {
      reason: denied
        ? '/dev/kvm may not be opened by this user (add it to the group kvm)'
        : 'this host has no /dev/kvm',
    };
  }
}

/** Boots the kernel with nothing else and waits for anything on the console. */
function prove(
  accelerator: AcceleratorVerdict['accelerator'],
  kernel: string,
): Promise<{ works: boolean; reason: string }> {
  const line = [
    ['-nodefaults', '-no-user-config', '-display', 'none', '-machine', 'pc', '-m', '256', '-no-reboot'],
    acceleratorArguments(accelerator),
    ['-kernel', kernel, '-append', 'console=ttyS0 panic=-1', '-serial', 'stdio'],
  ].flat();
  return new Promise((resolve) => {
    const child = spawn(qemuProgram, line, { stdio: ['ignore', 'pipe', 'pipe'] });
    let complaint = '';
    let verdict = {
      works: false,
      reason: `the kernel printed nothing within ${proofDeadlineMs / 1000} s with ${accelerator}`,
    };
    let endedByUs = false;
    const end = () => {
      endedByUs = true;
      child.kill('SIGKILL');
    };
    const deadline = setTimeout(end, proofDeadlineMs);
    child.stdout.on('data', (chunk: Buffer) => {
      if (!/\S/.test(chunk.toString())) return;
      verdict = { works: true, reason: `the node image's kernel boots with ${accelerator}` };
      end();
    });
    child.stderr.on('data', (chunk: Buffer) => {
      complaint += chunk.toString();
    });
    child.once('error', (error) => {
      verdict = { works: false, reason: error.message };
    });
    child.once('close', (code, signal) => {
      clearTimeout(deadline);
      const failed = !verdict.works && !endedByUs;
      resolve(
        failed
          ? {
              works: false,
              reason: complaint.trim().split('\n')[0] || `QEMU with ${accelerator} ended with ${signal ?? code}`,
            }
          : verdict,
      );
    });
  });
}

async function hashOfFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return hash.digest('hex').slice(0, 16);
}

/** The last verdict on this host, whatever it was made for. */
export async function rememberedVerdict(imagesDirectory: string): Promise<Remembered | undefined> {
  return readFile(join(imagesDirectory, fileName), 'utf8').then(
    (text) => JSON.parse(text) as Remembered,
    () => undefined,
  );
}

/** The remembered verdict for this QEMU, kernel and device, or a fresh proof (at most about five seconds). */
export async function chooseAccelerator(options: AcceleratorOptions): Promise<AcceleratorVerdict> {
  const path = join(options.imagesDirectory, fileName);
  const version = await runCommand([qemuProgram, '--version'], { deadlineMs: 10_000 });
  const device = await stat('/dev/kvm').then(
    ({ rdev, mode, gid }) => `${rdev}/${mode}/${gid}`,
    () => 'none',
  );
  const key = [version.stdout.split('\n')[0], await hashOfFile(options.kernel), device, process.getuid?.() ?? ''].join(
    ' | ',
  );
  const known = await rememberedVerdict(options.imagesDirectory);
  if (known?.key === key) return { accelerator: known.accelerator, reason: known.reason };
  const native = await candidate();
  let verdict: AcceleratorVerdict;
  if ('reason' in native) {
    verdict = { accelerator: 'tcg', reason: `${native.reason}; machines are emulated, which is slower` };
  } else {
    const proof = await prove(native.accelerator, options.kernel);
    verdict = proof.works
      ? { accelerator: native.accelerator, reason: proof.reason }
      : { accelerator: 'tcg', reason: `${proof.reason}; machines are emulated, which is slower` };
  }
  options.logger.info('accelerator chosen', { ...verdict });
  await writeFile(`${path}.${process.pid}`, `${JSON.stringify({ key, ...verdict }, undefined, 2)}\n`);
  await rename(`${path}.${process.pid}`, path);
  return verdict;
}
