// `pilothouse logs`: the host's own log, a cluster's control plane, or the serial console of a node.

import { watchFile, unwatchFile } from 'node:fs';
import { open } from 'node:fs/promises';
import { PilothouseError } from '../../kit';
import { commandName } from '../../machines';
import { isMissing } from '../../services';
import { chooseCluster } from './choose-cluster';
import { type CommandContext, using } from './commands';
import { badUsage } from './exit-codes';
import { connectHost } from './host-connection';

export interface LogsFlags {
  name?: string;
  follow?: boolean;
  signal: AbortSignal;
}

export async function logs(context: CommandContext, what: readonly string[], flags: LogsFlags): Promise<void> {
  const [source = 'control-plane', machine, ...more] = what;
  const name = await chooseCluster(context.paths, flags.name, { machine });
  if (more.length > 0) throw badUsage(`${more.join(' ')}: one log at a time`, allowedSources);
  switch (source) {
    case 'host':
      return printFile(context.paths.hostLog, flags);
    case 'control-plane':
      return printFile(context.paths.cluster(name).controlPlaneLog, flags);
    case 'console':
      if (machine === undefined)
        throw badUsage('logs console: a node is missing', `Give its name: ${commandName()} logs console ${name}-1`);
      return printConsole(context, { cluster: name, machine }, flags);
    default:
      throw badUsage(`logs ${source}: there is no such log`, allowedSources);
  }
}

const allowedSources = 'Allowed: control-plane, host, or console NODE.';

async function printFile(path: string, flags: LogsFlags): Promise<void> {
  let position = 0;
  const more = async () => {
    const file = await open(path, 'r');
    try {
      const { size } = await file.stat();
      // Rotated: the new file is read from its beginning.
      if (size < position) position = 0;
      const buffer = Buffer.alloc(Math.max(0, size - position));
      const { bytesRead } = await file.read(buffer, 0, buffer.length, position);
      position += bytesRead;
      process.stdout.write(buffer.subarray(0, bytesRead));
    } finally {
      await file.close();
    }
  };
  try {
    await more();
  } catch (error) {
    if (!isMissing(error)) throw error;
    throw new PilothouseError({
      code: 'LOG_NOT_FOUND',
      message: `there is no log at ${path} yet`,
      hint: `${commandName()} status lists the clusters.`,
    });
  }
  if (!flags.follow) return;
  await new Promise<void>((resolve, reject) => {
    let reading = Promise.resolve();
    const listener = () => {
      reading = reading.then(more).catch((error: unknown) => {
        // Gone for the moment of a rotation.
        if (!isMissing(error)) reject(error);
      });
    };
    watchFile(path, { interval: 250 }, listener);
    flags.signal.addEventListener(
      'abort',
      () => {
        unwatchFile(path, listener);
        resolve();
      },
      { once: true },
    );
  });
}

/** What was shown when nothing more comes for a moment is all there is. */
const quietMs = 500;

async function printConsole(
  context: CommandContext,
  request: { cluster: string; machine: string },
  flags: LogsFlags,
): Promise<void> {
  await using(await connectHost(context.paths), async (host) => {
    const last = { at: Date.now() };
    await host.follow<{ text: string }>(
      (rpc, observer) => {
        const subscription = rpc.clusters.console.subscribe(request, observer);
        const finish = () => observer.onComplete();
        flags.signal.addEventListener('abort', finish, { once: true });
        if (!flags.follow) {
          const timer = setInterval(() => {
            if (Date.now() - last.at > quietMs) finish();
          }, 100);
          return {
            unsubscribe: () => {
              clearInterval(timer);
              subscription.unsubscribe();
            },
          };
        }
        return subscription;
      },
      ({ text }) => {
        last.at = Date.now();
        process.stdout.write(text);
        return false;
      },
    );
  });
}
