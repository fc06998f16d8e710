// `pilothouse open`: the window. Electron when its binary is there and a display is; otherwise the browser shell, in
// the default browser when there is a display, else as a printed address.

import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Application } from '../application';
import { type CommandContext, using } from './commands';
import { ensureHost, findHost } from './host-connection';
import { json } from './output';
import { windowUrl } from './window-url';

export async function openWindow(context: CommandContext, flags: { json?: boolean }): Promise<void> {
  const { output, application } = context;
  const electron = hasDisplay(process.env) ? electronBinary(application) : undefined;
  // A host that runs already serves the window itself: two hosts cannot share one home.
  if (electron && !(await findHost(context.paths))) {
    launch(electron, [application.root], context);
    output.print(flags.json ? json({ shell: 'desktop' }) : 'Pilothouse opens its window.');
    return;
  }
  await using(await ensureHost(context.paths, application), async (host) => {
    const url = windowUrl(host.file);
    const browser = hasDisplay(process.env) ? browserCommand() : undefined;
    if (browser) launch(browser[0], [...browser.slice(1), url], context);
    output.print(flags.json ? json({ shell: 'headless', url }) : `Pilothouse is open at\n\n  ${url}\n`);
  });
}

/** Electron's binary, when its package has fetched it. Never fetches anything. */
export function electronBinary(application: Application): string | undefined {
  const folder = join(application.root, 'node_modules', 'electron');
  const pathFile = join(folder, 'path.txt');
  if (!existsSync(pathFile)) return undefined;
  const binary = join(folder, 'dist', readFileSync(pathFile, 'utf8').trim());
  return existsSync(binary) ? binary : undefined;
}

export function hasDisplay(environment: NodeJS.ProcessEnv): boolean {
  if (process.platform === 'darwin' || process.platform === 'win32') return true;
  return Boolean(environment['DISPLAY'] || environment['WAYLAND_DISPLAY']);
}

function browserCommand(): [string, ...string[]] {
  if (process.platform === 'darwin') return ['open'];
  if (process.platform === 'win32') return ['cmd', '/c', 'start', ''];
  return ['xdg-open'];
}

/** Started on its own; that it is not there is no failure, the address is printed anyway. */
function launch(command: string, parameters: string[], context: CommandContext): void {
  const child = spawn(command, parameters, { detached: true, stdio: 'ignore' });
  child.once('error', (error) => context.output.progress(`${command} could not be started: ${error.message}`));
  child.unref();
}
