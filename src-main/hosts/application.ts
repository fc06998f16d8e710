// Where the built parts of the application are, whether it runs from `out`, from source, or packaged.

import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { PilothouseError } from '../kit';

export interface Application {
  root: string;
  version: string;
  renderer: string;
  agents: string;
  entries: { cli: string; headless: string; controlPlane: string };
  /** What Node needs to run the entries: nothing when they are built. */
  execArgv: string[];
}

/** `from` is the folder of the running entry. `fromSource` runs the entries as TypeScript through tsx. */
export function findApplication(from: string, options: { fromSource?: boolean } = {}): Application {
  const root = findRoot(from);
  const { version } = readPackage(root);
  const entry = (name: string) =>
    options.fromSource ? join(root, 'src-main', 'hosts', name, 'main.ts') : join(root, 'out', 'main', `${name}.js`);
  return {
    root,
    version,
    renderer: join(root, 'out', 'renderer'),
    agents: join(root, 'out', 'agents'),
    entries: { cli: entry('cli'), headless: entry('headless'), controlPlane: entry('control-plane') },
    execArgv: options.fromSource ? ['--import', 'tsx'] : [],
  };
}

/** The folder above whose package.json is Pilothouse's. */
function findRoot(from: string): string {
  for (let folder = from; ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'package.json')) && readPackage(folder).name === 'pilothouse') return folder;
    if (dirname(folder) === folder) {
      throw new PilothouseError({
        code: 'APPLICATION_INCOMPLETE',
        message: `there is no package.json of Pilothouse above ${from}`,
        hint: 'Install Pilothouse again.',
      });
    }
  }
}

function readPackage(folder: string): { name?: string; version: string } {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { name?: string; version: string };
}
