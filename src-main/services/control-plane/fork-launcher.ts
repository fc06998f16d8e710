// Starts control planes as children of a plain Node host.

import { fork } from 'node:child_process';
import { closeSync, fstatSync, ftruncateSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { messageOf } from '../../kit';
import type { FromControlPlane, LaunchControlPlane } from './protocol';

export interface ForkLauncherOptions {
  /** File of the child's entry: out/main/control-plane.js. */
  entry: string;
  /** For running from source, e.g. ['--import', 'tsx']. */
  execArgv?: string[];
}

export function createForkLauncher(options: ForkLauncherOptions): LaunchControlPlane {
  return ({ cluster, outputFile }) => {
    mkdirSync(dirname(outputFile), { recursive: true, mode: 0o700 });
    const output = openOutput(outputFile);
    const child = fork(options.entry, ['--cluster', cluster], {
      stdio: ['ignore', output, output, 'ipc'],
      execArgv: options.execArgv ?? [],
      serialization: 'json',
    });
    closeSync(output);
    let ended: string | undefined;
    const listeners: ((how: string) => void)[] = [];
    const end = (how: string) => {
      if (ended !== undefined) return;
      ended = how;
      for (const listener of listeners) listener(how);
    };
    child.once('exit', (code, signal) => end(signal ? `ended by ${signal}` : `exit code ${code}`));
    child.once('error', (error) => {
      if (child.pid === undefined) end(`could not be started: ${messageOf(error)}`);
    });
    return {
      pid: child.pid,
      // A closed channel means that the child is going: its exit is what counts.
      send: (message) => void (child.connected && child.send(message, () => undefined)),
      onMessage: (listener) => void child.on('message', (message) => listener(message as FromControlPlane)),
      onExit: (listener) => (ended === undefined ? void listeners.push(listener) : listener(ended)),
      kill: (signal) => void child.kill(signal),
    };
  };
}

const maxOutputBytes = 1024 * 1024;

/** The last words of earlier crashes are kept, with the time of each start between them. */
function openOutput(path: string): number {
  const descriptor = openSync(path, 'a', 0o600);
  if (fstatSync(descriptor).size > maxOutputBytes) ftruncateSync(descriptor, 0);
  writeSync(descriptor, `--- ${new Date().toISOString()}\n`);
  return descriptor;
}
