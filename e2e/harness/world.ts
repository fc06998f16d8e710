// One journey's world: its own home folder, the command line as a person calls it, stock kubectl, and a browser.
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright';
import { type Finished, type Kept, keep, run, runOk } from './process';

export const root = resolve(import.meta.dirname, '../..');

export function findOnPath(...names: string[]): string | undefined {
  const folders = `${process.env.PATH ?? ''}${delimiter}/usr/sbin${delimiter}/sbin`.split(delimiter);
  return names.flatMap((name) => folders.map((folder) => join(folder, name))).find((path) => existsSync(path));
}

/** What a real cluster needs on the machine; the journeys are skipped by name where it is missing. */
export const missingForClusters = ['qemu-system-x86_64', 'qemu-img', 'mmdebstrap', 'kubectl'].filter(
  (name) => findOnPath(name) === undefined,
);

const chromiumPath = findOnPath('chromium', 'chromium-browser', 'google-chrome');
export const canBrowse = chromiumPath !== undefined;

export class World {
  readonly home = mkdtempSync(join(tmpdir(), 'ph-'));
  readonly env: NodeJS.ProcessEnv = {
    ...process.env,
    PILOTHOUSE_HOME: this.home,
    // Images are the same for everybody and take minutes to build: they are shared between runs.
    PILOTHOUSE_IMAGES: process.env.PILOTHOUSE_IMAGES ?? join(homedir(), '.pilothouse', 'images'),
    KUBECONFIG: join(this.home, 'kubeconfig'),
  };
  private readonly kept: Kept[] = [];
  private browser: Browser | undefined;

  /** `pilothouse ARGS`, as `npm start -- ARGS` runs it after set-up. */
  cli(args: string[], options: { deadlineMs?: number } = {}): Promise<Finished> {
    return run(process.execPath, [join(root, 'out/main/cli.js'), ...args], { env: this.env, ...options });
  }

  keepCli(args: string[]): Kept {
    const kept = keep(process.execPath, [join(root, 'out/main/cli.js'), ...args], { env: this.env });
    this.kept.push(kept);
    return kept;
  }

  kubectl(args: string[], options: { input?: string; deadlineMs?: number; binary?: string } = {}): Promise<string> {
    return runOk(options.binary ?? 'kubectl', args, { env: this.env, ...options });
  }

  keepKubectl(args: string[]): Kept {
    const kept = keep('kubectl', args, { env: this.env });
    this.kept.push(kept);
    return kept;
  }

  async page(options: { width?: number; height?: number; language?: string } = {}): Promise<Page> {
    this.browser ??= await chromium.launch({
      executablePath: chromiumPath,
      args: ['--no-sandbox', '--disable-background-networking', '--disable-component-update', '--disable-gpu'],
    });
    const context = await this.browser.newContext({
      viewport: { width: options.width ?? 1280, height: options.height ?? 800 },
      locale: options.language ?? 'en',
    });
    return context.newPage();
  }

  /** Ends everything this journey started and removes its home. */
  async dispose(): Promise<void> {
    await this.browser?.close();
    const stopped = await this.cli(['host', 'stop'], { deadlineMs: 120_000 });
    if (stopped.code !== 0 && stopped.code !== 3) console.error(`host stop: ${stopped.stderr}`);
    for (const kept of this.kept) await kept.end();
    if (!process.env.PILOTHOUSE_KEEP) rmSync(this.home, { recursive: true, force: true });
  }
}
