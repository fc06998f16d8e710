// What `npm start` and `npm test` need before anything of ours can run: Debian packages, npm packages, a build.
// Plain JavaScript without dependencies, because it runs before `npm ci` has.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { arch } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';

export const root = resolve(import.meta.dirname, '..');

const qemu = arch() === 'arm64' ? 'qemu-system-arm' : 'qemu-system-x86';

/** Debian packages, with the command or file that shows that a thing is there already, however it was installed. */
export const packagesToRun = [
  { name: qemu, command: arch() === 'arm64' ? 'qemu-system-aarch64' : 'qemu-system-x86_64', why: 'runs the nodes' },
  { name: 'qemu-utils', command: 'qemu-img', why: 'makes the disks of the nodes' },
  { name: 'mmdebstrap', command: 'mmdebstrap', why: 'builds the node image' },
  { name: 'e2fsprogs', command: 'mkfs.ext4', why: 'builds the node image' },
  { name: 'zstd', command: 'zstd', why: 'builds the node image' },
  { name: 'xz-utils', command: 'xz', why: 'builds the node image' },
  { name: 'cpio', command: 'cpio', why: 'builds the node image' },
  { name: 'uidmap', command: 'newuidmap', why: 'builds the node image without root' },
];

export const packagesToTest = [
  { name: 'chromium', command: 'chromium', why: 'drives the window' },
  { name: 'fonts-dejavu-core', file: '/usr/share/fonts/truetype/dejavu', why: 'text in screenshots' },
  { name: 'fonts-noto-cjk', file: '/usr/share/fonts/opentype/noto', why: 'Chinese text in screenshots' },
  { name: 'docker.io', command: 'dockerd', why: 'tests the kubelet against a real Docker' },
  { name: 'kubernetes-client', command: 'kubectl', why: 'is the stock client of the tests' },
  { name: 'etcd-server', command: 'etcd', why: 'is the peer of the store in tests' },
  { name: 'etcd-client', command: 'etcdctl', why: 'is the stock client of the store in tests' },
  { name: 'busybox-static', file: '/bin/busybox', why: 'is the container image of the tests' },
  { name: 'iptables', command: 'iptables-restore', why: 'tests kube-proxy' },
  { name: 'iproute2', command: 'ip', why: 'gives the tests their own network namespaces' },
  { name: 'openssl', command: 'openssl', why: 'reads the certificates in tests' },
];

/** A failed set-up step: what to do is in the message. */
export class SetupError extends Error {}

function run(command, args, options = {}) {
  const result = spawnSync(command, args, { cwd: root, stdio: 'inherit', ...options });
  if (result.error) throw new SetupError(`${command} could not be started: ${result.error.message}`);
  return result.status ?? 1;
}

function onPath(command) {
  const folders = `${process.env.PATH ?? ''}:/usr/sbin:/sbin:/usr/local/sbin`.split(':');
  return folders.some((folder) => folder !== '' && existsSync(join(folder, command)));
}

/** Installs what is missing of `packages` by apt, as root or through sudo. */
export function ensureDebianPackages(packages) {
  const missing = packages.filter((entry) => (entry.command ? !onPath(entry.command) : !existsSync(entry.file)));
  if (missing.length === 0) return;
  console.log('Missing on this computer, to be installed with apt-get:');
  for (const entry of missing) console.log(`  ${entry.name.padEnd(20)} ${entry.why}`);
  const names = missing.map((entry) => entry.name);
  if (!onPath('apt-get')) {
    throw new SetupError(`There is no apt-get here. Install these by hand, then try again: ${names.join(' ')}`);
  }
  const asRoot = process.getuid?.() === 0;
  if (!asRoot && !onPath('sudo')) {
    throw new SetupError(`Installing needs root. Run this as root, then try again: apt-get install ${names.join(' ')}`);
  }
  const apt = (...args) => {
    const environment = ['DEBIAN_FRONTEND=noninteractive', 'apt-get', '-q', ...args];
    return asRoot ? run('env', environment) : run('sudo', ['env', ...environment]);
  };
  if (apt('update') !== 0) console.warn('apt-get update failed: going on with the package lists there are');
  if (apt('install', '-y', '--no-install-recommends', ...names) !== 0) {
    throw new SetupError(`apt-get could not install ${names.join(' ')}: see its message above`);
  }
}

function hashOf(paths) {
  const hash = createHash('sha256');
  for (const path of paths) hash.update(relative(root, path)).update('\0').update(readFileSync(path)).update('\0');
  return hash.digest('hex');
}

function stampMatches(path, value) {
  return existsSync(path) && readFileSync(path, 'utf8') === value;
}

function writeStamp(path, value) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, value);
}

/** `npm ci` when the lock file is not what is installed. Electron's binary is fetched on demand, never here. */
export function ensureNodeModules() {
  const stamp = join(root, 'node_modules', '.pilothouse-lock');
  const wanted = hashOf([join(root, 'package-lock.json')]);
  if (stampMatches(stamp, wanted)) return;
  console.log('Installing npm packages …');
  const env = { ...process.env, ELECTRON_SKIP_BINARY_DOWNLOAD: '1' };
  if (run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], { env }) !== 0) {
    throw new SetupError('npm ci failed: see its message above');
  }
  writeStamp(stamp, wanted);
}

function sourcesBelow(path) {
  if (!existsSync(path)) return [];
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path)
    .filter((name) => name !== 'generated' && name !== 'node_modules')
    .sort()
    .flatMap((name) => sourcesBelow(join(path, name)))
    .filter((file) => !file.endsWith('.test.ts'));
}

/** Builds hosts, window and node agents when a source changed since the last build. */
export function ensureBuild() {
  const sources = ['package-lock.json', 'electron.vite.config.ts', 'src-main', 'src-renderer', 'resources', 'scripts'];
  const wanted = hashOf(sources.flatMap((name) => sourcesBelow(join(root, name))));
  const stamp = join(root, 'out', '.build-stamp');
  if (stampMatches(stamp, wanted)) return;
  console.log('Building …');
  if (run('npm', ['run', '--silent', 'build']) !== 0) throw new SetupError('The build failed: see its message above');
  writeStamp(stamp, wanted);
}

/** Node's version is the one thing we cannot install ourselves. */
export function requireNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major < 20 || (major === 20 && minor < 19)) {
    throw new SetupError(`Node ${process.versions.node} is too old: install Node 20.19 or newer, then try again`);
  }
}
