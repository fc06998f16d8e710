// A real etcd and etcdctl for tests, in a directory of the test's. Everything started is stopped by `stop`.

import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { sleep, withDeadline } from '../../../kit';

const run = promisify(execFile);
const environment = { ...process.env, ETCDCTL_API: '3' };
const outputLimit = 256 * 1024 * 1024;

/** Whether both programs are installed; they come with Debian's etcd-server and etcd-client. */
export const hasRealEtcd = ['etcd', 'etcdctl'].every(
  (name) => spawnSync(name, ['--help'], { env: environment }).status === 0,
);

/** Runs etcdctl without a server; answers its standard output. */
export async function etcdctl(...args: string[]): Promise<string> {
  const { stdout } = await run('etcdctl', args, { env: environment, timeout: 60_000, maxBuffer: outputLimit });
  return stdout;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  await new Promise((resolve) => {
    server.close(resolve);
  });
  if (address && typeof address === 'object') return address.port;
  throw new Error('no free port');
}

export interface RealEtcd {
  /** Runs etcdctl against it. */
  ctl(...args: string[]): Promise<string>;
  stop(): Promise<void>;
}

/** The peer address that a restored data directory and its etcd must agree on. */
export async function freePeerUrl(): Promise<string> {
  return `http://127.0.0.1:${await freePort()}`;
}

export async function startRealEtcd(directory: string, peerUrl?: string): Promise<RealEtcd> {
  const peer = peerUrl ?? (await freePeerUrl());
  const client = `http://127.0.0.1:${await freePort()}`;
  const args = ['--data-dir', directory, '--name', 'default', '--initial-cluster', `default=${peer}`];
  args.push('--listen-client-urls', client, '--advertise-client-urls', client);
  args.push('--listen-peer-urls', peer, '--initial-advertise-peer-urls', peer);
  const child = spawn('etcd', args, { cwd: join(directory, '..'), stdio: ['ignore', 'ignore', 'pipe'] });
  let log = '';
  child.stderr.on('data', (data: Buffer) => {
    log = (log + data.toString()).slice(-4000);
  });
  const ctl = (...rest: string[]) => etcdctl('--endpoints', client, ...rest);
  await withDeadline({ ms: 30_000, what: 'etcd' }, async (signal) => {
    for (;;) {
      if (child.exitCode !== null) throw new Error(`etcd ended: ${log}`);
      try {
        return await ctl('endpoint', 'health');
      } catch {
        await sleep(100, { signal });
      }
    }
  });
  return { ctl, stop: () => stop(child) };
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => {
    child.once('exit', resolve);
  });
  child.kill('SIGKILL');
  await ended;
}
