// `npm start`: sets up what is missing, then hands over to the command line. Without arguments it opens the app.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import {
  ensureBuild,
  ensureDebianPackages,
  ensureNodeModules,
  packagesToRun,
  requireNode,
  root,
  SetupError,
} from './setup.mjs';

try {
  requireNode();
  ensureDebianPackages(packagesToRun);
  ensureNodeModules();
  ensureBuild();
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  console.error(`\nSet-up stopped: ${error.message}`);
  process.exit(1);
}

const args = process.argv.slice(2);
const child = spawn(process.execPath, [join(root, 'out/main/cli.js'), ...(args.length > 0 ? args : ['open'])], {
  stdio: 'inherit',
  // What the command line tells a person to type next must work as it stands.
  env: { ...process.env, PILOTHOUSE_COMMAND: 'npm start --' },
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
child.on('exit', (code, signal) => process.exit(code ?? (signal ? 130 : 1)));
