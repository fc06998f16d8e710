// Builds the node image: mmdebstrap installs the packages into a tarball, assemble.sh makes disk, kernel and initrd of it.
// As root directly, as an ordinary user inside a user namespace. Writes only below `output` and one temporary folder.

import { chmod, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { PilothouseError } from '../../kit';
import { runCommand } from '../command';
import { carriedAptOptions, mirrorsOf } from './apt-sources';
import { BuildProgress, buildReason } from './build-progress';
import type { Recipe } from './recipe';

export interface BuildOptions {
  recipe: Recipe;
  /** An empty folder; receives disk.raw, vmlinux, initrd, facts. */
  output: string;
  signal?: AbortSignal;
  deadlineMs: number;
  onDetail: (detail: string) => void;
  /** Called with the process group of each child, so that a later owner can end what outlived this process. */
  onStart: (pid: number) => void;
}

const suite = 'trixie';
const inNamespace = ['unshare', '--user', '--map-root-user', '--map-auto'] as const;
const buildHint =
  'The node image is made from Debian packages: check the internet connection, the mirror in /etc/apt and the free disk space, then retry.';

async function hostAptFiles(): Promise<{ name: string; text: string }[]> {
  const folder = '/etc/apt/sources.list.d';
  const listed = await readdir(folder).catch(() => [] as string[]);
  const names = [
    '/etc/apt/sources.list',
    ...listed.filter((name) => /\.(list|sources)$/.test(name)).map((name) => join(folder, name)),
  ];
  const files = await Promise.all(
    names.map(async (name) => ({ name, text: await readFile(name, 'utf8').catch(() => '') })),
  );
  return files;
}

/** Runs inside mmdebstrap after the packages are installed; /tmp is emptied there, so the kernel package waits in /opt. */
const fetchKernel = [
  'chroot "$1" sh -c',
  `'cd /opt && apt-get download "$(apt-cache depends linux-image-cloud-amd64 | sed -n "s/.*Depends: \\(linux-image-[0-9][^ ]*\\)$/\\1/p" | head -n 1)"'`,
].join(' ');

export async function buildImage(options: BuildOptions): Promise<void> {
  const { recipe, output, signal } = options;
  const root = process.getuid?.() === 0;
  const mirrors = mirrorsOf(await hostAptFiles());
  const dump = await runCommand(['apt-config', 'dump'], { deadlineMs: 10_000, allowFailure: true, signal });
  const apt = ['APT::Install-Recommends "false"', 'Acquire::Languages "none"', ...carriedAptOptions(dump.stdout)];
  const excluded = ['/usr/share/doc/*', '/usr/share/man/*', '/usr/share/locale/*', '/usr/share/info/*'];
  const progress = new BuildProgress(options.onDetail);
  const common = {
    signal,
    deadlineMs: options.deadlineMs,
    hint: buildHint,
    onStart: options.onStart,
    onLine: (line: string) => progress.line(line),
  };
  // The subordinate root of unshare mode must reach its folder, which a closed home directory would prevent.
  const scratch = await mkdtemp(join(root ? output : '/var/tmp', 'pilothouse-'));
  if (!root) await chmod(scratch, 0o755);
  try {
    options.onDetail('downloading the package lists');
    await runCommand(
      [
        'mmdebstrap',
        '--verbose',
        `--mode=${root ? 'root' : 'unshare'}`,
        '--variant=minbase',
        `--include=${recipe.packages.join(',')}`,
        ...apt.map((option) => `--aptopt=${option}`),
        ...excluded.map((path) => `--dpkgopt=path-exclude=${path}`),
        `--customize-hook=${fetchKernel}`,
        suite,
        join(output, 'rootfs.tar'),
        // Without a mirror mmdebstrap takes its own default.
        ...(mirrors.main ? [`deb ${mirrors.main} ${suite} main`] : []),
        ...(mirrors.security ? [`deb ${mirrors.security} ${suite}-security main`] : []),
      ],
      { ...common, what: 'installing the Debian packages of the node image', environment: { TMPDIR: scratch } },
    );
    const assemble: readonly [string, ...string[]] = [
      'sh',
      join(recipe.directory, 'assemble.sh'),
      recipe.directory,
      join(output, 'rootfs.tar'),
      output,
    ];
    await runCommand(root ? assemble : [...inNamespace, ...assemble], {
      ...common,
      what: 'making the disk of the node image',
    });
  } catch (error) {
    throw buildFailure(error);
  } finally {
    await removeTree(scratch);
  }
}

/** The programs' own reason instead of their exit code. */
function buildFailure(error: unknown): unknown {
  if (!(error instanceof PilothouseError) || error.code !== 'COMMAND_FAILED') return error;
  const reason = buildReason(String(error.details['outputTail'] ?? ''));
  return new PilothouseError({
    code: 'IMAGE_BUILD_FAILED',
    message: reason === undefined ? error.message : error.message.replace(/ failed: .*/, ` failed: ${reason}`),
    hint: error.hint,
    details: error.details,
    cause: error,
    retryable: true,
  });
}

/** Removes a folder of the build, also one in which an interrupted build left files of a user namespace's users. */
export async function removeTree(path: string): Promise<void> {
  try {
    await rm(path, { recursive: true, force: true });
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (process.getuid?.() === 0 || (code !== 'EACCES' && code !== 'EPERM')) throw error;
    await runCommand([...inNamespace, 'rm', '-rf', path], { deadlineMs: 60_000 });
  }
}
