// Built node images, shared by all clusters: `<images>/<recipe hash>/{disk.raw, vmlinux, initrd, manifest.json}`. An image
// folder appears whole or not at all (built beside, renamed at the end); one build at a time over all processes.

import { mkdir, open, readdir, readFile, rename, rm, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Clock, type Logger, PilothouseError, sleep, systemClock } from '../../kit';
import { duration } from '../duration';
import { buildImage, removeTree } from './build';
import { endBuilder, rememberBuilder } from './builder';
import { type Recipe, readRecipe } from './recipe';

export interface NodeImage {
  hash: string;
  disk: string;
  kernel: string;
  initrd: string;
  /** Bytes of the disk: an overlay may not be smaller. */
  diskBytes: number;
  /** Versions of what is inside, e.g. docker, node, kernel. */
  facts: Record<string, string>;
}

export interface ImageCacheOptions {
  directory: string;
  recipeDirectory: string;
  logger: Logger;
  clock?: Clock;
}

interface SharedBuild {
  controller: AbortController;
  image: Promise<NodeImage>;
}

const buildDeadlineMs = 15 * 60_000;
const neededBytes = 3 * 1024 ** 3;
const lockPollMs = 500;

export class ImageCache {
  private shared: SharedBuild | undefined;
  private readonly listeners = new Set<(detail: string) => void>();
  private readonly clock: Clock;

  constructor(private readonly options: ImageCacheOptions) {
    this.clock = options.clock ?? systemClock;
  }

  /** The image of the present recipe when it is already built. */
  async find(): Promise<NodeImage | undefined> {
    return this.findBuilt((await readRecipe(this.options.recipeDirectory)).hash);
  }

  /** A built image by its recipe hash, also one of an earlier recipe. */
  async findBuilt(hash: string): Promise<NodeImage | undefined> {
    const folder = join(this.options.directory, hash);
    try {
      const manifest = JSON.parse(await readFile(join(folder, 'manifest.json'), 'utf8')) as Pick<
        NodeImage,
        'diskBytes' | 'facts'
      >;
      return {
        hash,
        disk: join(folder, 'disk.raw'),
        kernel: join(folder, 'vmlinux'),
        initrd: join(folder, 'initrd'),
        ...manifest,
      };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  }

  /**
   * The image of the present recipe, built when missing. Callers at the same time share one build, which ends when the
   * last of them has aborted.
   */
  async ensure(request: { onDetail: (detail: string) => void; signal?: AbortSignal }): Promise<NodeImage> {
    const { signal } = request;
    signal?.throwIfAborted();
    const shared = (this.shared ??= this.begin());
    this.listeners.add(request.onDetail);
    let onAbort = () => {};
    const aborted = new Promise<never>((_, reject) => {
      onAbort = () => reject(signal?.reason);
      signal?.addEventListener('abort', onAbort, { once: true });
    });
    try {
      return await Promise.race([shared.image, aborted]);
    } finally {
      signal?.removeEventListener('abort', onAbort);
      this.listeners.delete(request.onDetail);
      if (this.listeners.size === 0) shared.controller.abort(signal?.reason);
    }
  }

  /** Resolves when a build that nobody waits for any more has ended and has removed its leftovers. */
  async settled(): Promise<void> {
    if (this.listeners.size > 0) return;
    await this.shared?.image.then(
      () => undefined,
      () => undefined,
    );
  }

  private begin(): SharedBuild {
    const controller = new AbortController();
    const image = this.obtain(controller.signal).finally(() => {
      if (this.shared?.controller === controller) this.shared = undefined;
    });
    return { controller, image };
  }

  private detail(text: string): void {
    for (const listener of this.listeners) listener(text);
  }

  private async obtain(signal: AbortSignal): Promise<NodeImage> {
    const recipe = await readRecipe(this.options.recipeDirectory);
    const present = await this.findBuilt(recipe.hash);
    if (present) return present;
    await mkdir(this.options.directory, { recursive: true });
    const release = await this.lock(signal);
    try {
      // Another process may have built it while this one waited.
      return (await this.findBuilt(recipe.hash)) ?? (await this.build(recipe, signal));
    } finally {
      await release();
    }
  }

  private async build(recipe: Recipe, signal: AbortSignal): Promise<NodeImage> {
    const { directory, logger } = this.options;
    for (const name of await readdir(directory)) {
      if (!name.startsWith('.building-')) continue;
      await endBuilder(join(directory, name));
      await removeTree(join(directory, name));
    }
    const { bavail, bsize } = await statfs(directory);
    if (bavail * bsize < neededBytes) {
      throw new PilothouseError({
        code: 'DISK_SPACE',
        message: `building the node image needs 3 GiB below ${directory}, ${Math.floor((bavail * bsize) / 1024 ** 2)} MiB are free`,
        hint: 'Free some disk space, then retry.',
      });
    }
    const output = join(directory, `.building-${recipe.hash}`);
    const startedAt = this.clock.now();
    await mkdir(output);
    try {
      await buildImage({
        recipe,
        output,
        signal,
        deadlineMs: buildDeadlineMs,
        onDetail: (text) => this.detail(text),
        onStart: (pid) => rememberBuilder(output, pid),
      });
      const facts = await readFile(join(output, 'facts'), 'utf8');
      const handle = await open(join(output, 'disk.raw'));
      const { size } = await handle.stat();
      await handle.sync();
      await handle.close();
      const manifest = {
        recipe: recipe.hash,
        builtAt: new Date(this.clock.now()).toISOString(),
        buildMs: this.clock.now() - startedAt,
        diskBytes: size,
        packages: recipe.packages,
        facts: Object.fromEntries(
          facts
            .trim()
            .split('\n')
            .map((line) => line.split('=', 2) as [string, string]),
        ),
      };
      await rm(join(output, 'builder.pid'), { force: true });
      await writeFile(join(output, 'manifest.json'), `${JSON.stringify(manifest, undefined, 2)}\n`);
      await rename(output, join(directory, recipe.hash));
      logger.info('node image built', { recipe: recipe.hash, milliseconds: manifest.buildMs });
    } catch (error) {
      await removeTree(output);
      throw error;
    }
    return (await this.findBuilt(recipe.hash))!;
  }

  /** Takes `<images>/.lock`, which holds the pid of its owner; a lock whose owner is gone is taken over. */
  private async lock(signal: AbortSignal): Promise<() => Promise<void>> {
    const path = join(this.options.directory, '.lock');
    const deadline = this.clock.now() + buildDeadlineMs;
    for (;;) {
      try {
        await writeFile(path, String(process.pid), { flag: 'wx' });
        return () => rm(path, { force: true });
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      }
      const owner = Number(await readFile(path, 'utf8').catch(() => ''));
      if (owner && !isAlive(owner)) {
        await rm(path, { force: true });
        continue;
      }
      if (this.clock.now() > deadline) {
        throw new PilothouseError({
          code: 'IMAGE_LOCKED',
          message: `process ${owner} has been building the node image for ${duration(buildDeadlineMs)}`,
          hint: `End process ${owner} if it hangs, or remove ${path} when it is not Pilothouse.`,
          retryable: true,
        });
      }
      this.detail(`waiting for process ${owner}, which builds the same image`);
      await sleep(lockPollMs, { signal, clock: this.clock });
    }
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
