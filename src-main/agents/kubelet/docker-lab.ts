// For integration tests only: a Docker engine of the test's own, inside a network namespace of its own, so that neither
// the host's network nor a Docker that runs there is touched. Ended and removed by `close`.

import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sleep } from '../../kit';
import { type RunCommand, createCommandRunner } from '../process/command';

const needed = ['/usr/sbin/dockerd', '/usr/sbin/ip', '/usr/bin/nsenter', '/usr/bin/busybox', '/usr/bin/tini-static'];

/** Why the engine cannot be started here; undefined = it can. */
export function dockerLabProblem(): string | undefined {
  if (process.getuid?.() !== 0) return 'needs root';
  const missing = needed.filter((path) => !existsSync(path) && !existsSync(path.replace('/usr', '')));
  return missing.length > 0 ? `needs ${missing.join(', ')}` : undefined;
}

export class DockerLab {
  readonly root = mkdtempSync(join(tmpdir(), 'pilothouse-lab-'));
  readonly namespace = `ph-${randomBytes(4).toString('hex')}`;
  readonly socket = join(this.root, 'docker.sock');
  readonly run: RunCommand = createCommandRunner(['nsenter', `--net=/run/netns/${this.namespace}`]);
  private daemon: ChildProcess | undefined;

  async start(): Promise<void> {
    execFileSync('ip', ['netns', 'add', this.namespace]);
    await this.run(['ip', 'link', 'set', 'lo', 'up']);
    await this.startDocker();
  }

  async startDocker(): Promise<void> {
    const path = (name: string) => join(this.root, name);
    const args = ['--data-root', path('data'), '--exec-root', path('exec'), '--pidfile', path('docker.pid')];
    const more = ['-H', `unix://${this.socket}`, '--bridge=none', '--iptables=false', '--userland-proxy=false'];
    const command = ['--net=/run/netns/' + this.namespace, 'dockerd', ...args, ...more];
    const daemon = spawn('nsenter', command, { stdio: ['ignore', 'ignore', 'pipe'] });
    this.daemon = daemon;
    let tail = '';
    daemon.stderr?.on('data', (chunk: Buffer) => {
      tail = (tail + chunk.toString()).slice(-4000);
    });
    const deadline = Date.now() + 60_000;
    for (;;) {
      if (daemon.exitCode !== null) throw new Error(`dockerd ended: ${tail}`);
      if (this.answers()) return;
      if (Date.now() > deadline) throw new Error(`dockerd does not answer: ${tail}`);
      await sleep(100);
    }
  }

  /** Without live-restore: its containers end with it. */
  async stopDocker(): Promise<void> {
    const { daemon } = this;
    if (!daemon || daemon.exitCode !== null) return;
    const ended = new Promise((resolve) => daemon.once('exit', resolve));
    daemon.kill('SIGTERM');
    await Promise.race([ended, sleep(20_000).then(() => daemon.kill('SIGKILL'))]);
    await ended;
  }

  docker(...args: string[]): string {
    return execFileSync('docker', ['-H', `unix://${this.socket}`, ...args], { encoding: 'utf8' });
  }

  /** An image with busybox alone. */
  importBusybox(reference: string): void {
    const tree = join(this.root, `tree-${randomBytes(4).toString('hex')}`);
    mkdirSync(join(tree, 'bin'), { recursive: true });
    mkdirSync(join(tree, 'tmp'));
    copyFileSync('/usr/bin/busybox', join(tree, 'bin/busybox'));
    for (const name of [
      'sh',
      'sleep',
      'cat',
      'echo',
      'httpd',
      'wget',
      'nc',
      'hostname',
      'id',
      'touch',
      'ls',
      'true',
      'false',
    ]) {
      symlinkSync('busybox', join(tree, 'bin', name));
    }
    this.docker('import', '-c', 'ENV PATH=/bin', this.pack(tree), reference);
  }

  /** A root filesystem archive as the node image has it. */
  pauseArchive(): string {
    const tree = join(this.root, 'pause-tree');
    mkdirSync(join(tree, 'bin'), { recursive: true });
    copyFileSync('/usr/bin/tini-static', join(tree, 'pause'));
    copyFileSync('/usr/bin/busybox', join(tree, 'bin/busybox'));
    symlinkSync('busybox', join(tree, 'bin/sleep'));
    return this.pack(tree);
  }

  private pack(tree: string): string {
    const archive = `${tree}.tar`;
    execFileSync('tar', ['-C', tree, '-cf', archive, '.']);
    return archive;
  }

  async close(): Promise<void> {
    if (this.answers()) {
      const ids = this.docker('ps', '-aq').split('\n').filter(Boolean);
      if (ids.length > 0) this.docker('rm', '-f', ...ids);
    }
    await this.stopDocker();
    execFileSync('ip', ['netns', 'delete', this.namespace]);
    const mounts = execFileSync('cat', ['/proc/self/mounts'], { encoding: 'utf8' }).split('\n');
    for (const path of mounts.map((line) => line.split(' ')[1] ?? '').filter((entry) => entry.startsWith(this.root))) {
      execFileSync('umount', ['-l', path]);
    }
    rmSync(this.root, { recursive: true, force: true });
  }

  private answers(): boolean {
    if (!existsSync(this.socket)) return false;
    try {
      this.docker('version');
      return true;
    } catch (error) {
      if ((error as { status?: number }).status === undefined) throw error;
      return false;
    }
  }
}
