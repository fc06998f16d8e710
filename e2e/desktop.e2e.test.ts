// The Electron shell: the same window over IPC. Skipped by name where Electron's binary is not installed
// (`npx install-electron` fetches it) or there is no display.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { _electron, type ElectronApplication, type Page } from 'playwright';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { root, World } from './harness/world';
import { FirstRunPage } from './pages/first-run-page';

const folder = join(root, 'node_modules/electron');
const pathFile = join(folder, 'path.txt');
const binary = existsSync(pathFile) ? join(folder, 'dist', readFileSync(pathFile, 'utf8').trim()) : undefined;
const missing = [
  ...(binary && existsSync(binary) ? [] : ["Electron's binary"]),
  ...(process.platform !== 'linux' || process.env.DISPLAY || process.env.WAYLAND_DISPLAY ? [] : ['a display']),
];
const title = missing.length === 0 ? 'the desktop shell' : `the desktop shell (missing: ${missing.join(', ')})`;

describe.skipIf(missing.length > 0)(title, () => {
  let world: World;
  let application: ElectronApplication;
  let page: Page;

  beforeAll(async () => {
    world = new World();
    application = await _electron.launch({
      executablePath: binary,
      // Chromium's own sandbox refuses to run as root; the window's stays on.
      args: [join(root, 'out/main/desktop.js'), ...(process.getuid?.() === 0 ? ['--no-sandbox'] : [])],
      env: Object.fromEntries(Object.entries(world.env).filter((entry): entry is [string, string] => !!entry[1])),
    });
    page = await application.firstWindow();
  });

  afterAll(async () => {
    await application?.close();
    await world?.dispose();
  });

  it('opens the first-run page over IPC and refuses a bad form field by field', async () => {
    const firstRun = new FirstRunPage(page);
    await firstRun.openCreate();
    await firstRun.followCreateLink();
    await firstRun.complete({ name: 'Not A Name' });
    await firstRun.expectProblem('lower-case');
  });

  it('gives the page nothing but the bridge', async () => {
    const seen = await page.evaluate(() => ({
      node: ['require', 'process', 'module', 'Buffer'].filter((name) => name in globalThis),
      bridge: Object.keys((globalThis as unknown as { pilothouse: object }).pilothouse).sort(),
    }));
    expect(seen).toEqual({ node: [], bridge: ['onMessage', 'send'] });
  });

  it('opens no other window and goes nowhere else', async () => {
    const before = page.url();
    await page.evaluate("open('https://example.invalid/'); location.assign('https://example.invalid/');");
    expect(application.windows()).toHaveLength(1);
    expect(page.url()).toBe(before);
  });
});
