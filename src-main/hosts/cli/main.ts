#!/usr/bin/env node
// Entry of the command line. Every command ends here: its answer on standard output, or one message and an exit code.

import { createInterface } from 'node:readline/promises';
import { createLogger, homeDirectory, homePaths } from '../../services';
import { findApplication } from '../application';
import { serveUntilStopped } from '../headless/serve';
import { type CommandContext, down, loadImage, remove, status, stopHost, up } from './commands';
import { exitCodeOf, exitCodes } from './exit-codes';
import { parsePort } from './flags';
import { kubeconfig } from './kubeconfig';
import { logs } from './logs';
import { openWindow } from './open';
import { describeError, terminal } from './output';
import { buildProgram, type Handlers, parseCommandLine } from './program';

const parameters = process.argv.slice(2);
const application = findApplication(import.meta.dirname, { fromSource: import.meta.url.endsWith('.ts') });
const context: CommandContext = { application, paths: homePaths(homeDirectory()), output: terminal };

const handlers: Handlers = {
  open: (flags) => openWindow(context, flags),
  up: (flags) => up(context, flags),
  down: (flags) => down(context, flags),
  status: (flags) => status(context, flags),
  remove: (flags) => remove(context, { ...flags, confirm }),
  kubeconfig: (flags) => kubeconfig(context, flags),
  logs: (what, flags) => logs(context, what, { ...flags, signal: untilInterrupted() }),
  loadImage: (source, flags) => loadImage(context, { source, ...flags }),
  stopHost: () => stopHost(context),
  async serve(flags) {
    const port = flags.port === undefined ? undefined : parsePort(flags.port, '--port');
    await serveUntilStopped({
      application,
      port,
      logger: createLogger(),
      onReady: (host) => terminal.print(`Pilothouse is open at\n\n  ${host.windowUrl}\n\nCtrl-C ends it.`),
    });
    // The process lives until a signal; serveUntilStopped ends it.
    await new Promise(() => undefined);
  },
};

/** Asks on the terminal; without one the answer is no. */
async function confirm(question: string): Promise<boolean> {
  if (!process.stdin.isTTY) return false;
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await lines.question(`${question} [yes/No] `)).trim());
  } finally {
    lines.close();
  }
}

function untilInterrupted(): AbortSignal {
  const controller = new AbortController();
  process.once('SIGINT', () => controller.abort());
  process.once('SIGTERM', () => controller.abort());
  return controller.signal;
}

try {
  await parseCommandLine(buildProgram(handlers, application.version), parameters);
  process.exitCode = exitCodes.ok;
} catch (error) {
  console.error(describeError(error, parameters.includes('--json')));
  process.exit(exitCodeOf(error));
}
// Sockets in the background must not keep a finished command alive.
process.exit();
