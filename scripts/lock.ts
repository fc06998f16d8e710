// `npm run lock`, after any change of dependencies: writes package-lock.json anew and completes it. A registry mirror may
// not carry the optional packages of other platforms; npm then leaves them out of the lock file and `npm ci` refuses that
// file everywhere. So they are entered with what their names say: version, operating system, processor, C library.
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');

const systems = ['darwin', 'linux', 'win32', 'android', 'freebsd', 'netbsd', 'openbsd', 'sunos', 'aix', 'openharmony'];
const processors = ['x64', 'arm64', 'arm', 'ia32', 'ppc64', 's390x', 'riscv64', 'loong64', 'wasm32', 'mips64el'];

export interface Platform {
  cpu?: string[];
  os?: string[];
  libc?: string[];
}

interface LockEntry extends Platform {
  version?: string;
  dev?: boolean;
  optional?: boolean;
  optionalDependencies?: Record<string, string>;
}

export interface Lock {
  packages: Record<string, LockEntry>;
}

/** What a platform package's name says of where it runs, as package.json fields; undefined when it says nothing. */
export function platformOf(name: string): Platform | undefined {
  const words = name.split('/').at(-1)!.split(/[-_]/);
  const os = words.filter((word) => systems.includes(word));
  const cpu = words.filter((word) => processors.includes(word));
  const libc = words.includes('musl') ? ['musl'] : words.some((word) => word.startsWith('gnu')) ? ['glibc'] : [];
  if (os.length === 0 && cpu.length === 0) return undefined;
  return { ...(cpu.length > 0 && { cpu }), ...(os.length > 0 && { os }), ...(libc.length > 0 && { libc }) };
}

/** Adds what is missing; answers how many. Only exact versions of platform packages can be entered unseen. */
export function completeLock(lock: Lock): number {
  let added = 0;
  for (const [path, entry] of Object.entries(lock.packages)) {
    for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
      const known = `node_modules/${name}` in lock.packages || `${path}/node_modules/${name}` in lock.packages;
      const platform = platformOf(name);
      if (known || !platform || !/^\d/.test(version)) continue;
      lock.packages[`node_modules/${name}`] = { version, ...(entry.dev && { dev: true }), optional: true, ...platform };
      added++;
    }
  }
  lock.packages = Object.fromEntries(Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
  return added;
}

if (process.argv[1] === import.meta.filename) {
  const path = join(root, 'package-lock.json');
  rmSync(path, { force: true });
  const { status } = spawnSync('npm', ['install', '--package-lock-only', '--ignore-scripts'], {
    cwd: root,
    stdio: 'inherit',
  });
  if (status !== 0) process.exit(status ?? 1);
  const lock = JSON.parse(readFileSync(path, 'utf8')) as Lock;
  const added = completeLock(lock);
  writeFileSync(path, `${JSON.stringify(lock, null, 2)}\n`);
  console.log(`package-lock.json: ${added} packages of other platforms entered by name`);
}
