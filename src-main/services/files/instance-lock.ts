// At most one process may own a folder. The lock is a listening UNIX socket (a named pipe on Windows): the system lets
// go of it when its owner dies however it dies, so a stale file is told from a live owner by dialling it, and a reused
// process id cannot fool anyone.

import { createHash } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type Disposable, PilothouseError, sleep } from '../../kit';
import { errorCode } from './atomic-file';

export interface InstanceLockOptions {
  path: string;
  /** What is locked, for the error: "the store of cluster default". */
  what: string;
  /** How long to wait for a dying owner. 0 = not at all. */
  waitMs: number;
}

/** Error ALREADY_RUNNING (details.pid) when another live process owns the lock after `waitMs`. */
export async function acquireInstanceLock(options: InstanceLockOptions): Promise<Disposable> {
  const address = socketAddress(options.path);
  if (process.platform !== 'win32') await mkdir(dirname(address), { recursive: true, mode: 0o700 });
  const deadline = Date.now() + options.waitMs;
  for (;;) {
    const server = await tryListen(address);
    if (server) return { dispose: () => new Promise((resolve) => server.close(() => resolve())) };
    const pid = await ownerOf(address);
    if (pid === undefined) {
      // Nobody answers: the owner died without removing its socket.
      if (process.platform !== 'win32') await rm(address, { force: true });
      continue;
    }
    if (Date.now() >= deadline) {
      throw new PilothouseError({
        code: 'ALREADY_RUNNING',
        message: `${options.what} is in use by process ${pid}`,
        hint: `End process ${pid} first, or use what it already runs.`,
        details: { pid },
        retryable: true,
      });
    }
    await sleep(100);
  }
}

function tryListen(address: string): Promise<Server | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => {
      socket.on('error', () => socket.destroy());
      socket.end(`${process.pid}\n`);
    });
    server.once('error', (error) => (errorCode(error) === 'EADDRINUSE' ? resolve(undefined) : reject(error)));
    server.listen(address, () => {
      server.unref();
      resolve(server);
    });
  });
}

/** Pid that answers at the socket (0 when it does not say), or undefined when nobody listens. */
function ownerOf(address: string): Promise<number | undefined> {
  return new Promise((resolve) => {
    let text = '';
    const socket = connect(address);
    socket.setTimeout(1000, () => {
      resolve(Number.parseInt(text, 10) || 0);
      socket.destroy();
    });
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
    socket.on('error', () => resolve(undefined));
    socket.on('end', () => resolve(Number.parseInt(text, 10) || 0));
  });
}

/** A socket path may be some 100 bytes long at most: a longer one is replaced by a digest in the temporary folder. */
function socketAddress(path: string): string {
  const digest = () => createHash('sha256').update(path).digest('hex').slice(0, 24);
  if (process.platform === 'win32') return `\\\\.\\pipe\\pilothouse-${digest()}`;
  return Buffer.byteLength(path) <= 100 ? path : join(tmpdir(), `pilothouse-${digest()}.lock`);
}
