// Starts control planes as Electron utility processes: Node without a window, ended together with the application.

import { createWriteStream, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { utilityProcess } from 'electron';
import type { FromControlPlane, LaunchControlPlane } from '../../services';

export function createUtilityLauncher(entry: string): LaunchControlPlane {
  return ({ cluster, outputFile }) => {
    mkdirSync(dirname(outputFile), { recursive: true, mode: 0o700 });
    const output = createWriteStream(outputFile, { flags: 'a', mode: 0o600 });
    output.write(`--- ${new Date().toISOString()}\n`);
    const child = utilityProcess.fork(entry, ['--cluster', cluster], {
      stdio: 'pipe',
      serviceName: `Pilothouse control plane ${cluster}`,
    });
    child.stdout?.pipe(output, { end: false });
    child.stderr?.pipe(output, { end: false });
    const pending: Parameters<typeof child.postMessage>[0][] = [];
    let isSpawned = false;
    let ended: string | undefined;
    const listeners: ((how: string) => void)[] = [];
    child.once('spawn', () => {
      isSpawned = true;
      for (const message of pending) post(message);
    });
    child.once('exit', (code) => {
      ended = `exit code ${code}`;
      output.end();
      for (const listener of listeners) listener(ended);
    });
    const post = child.postMessage.bind(child);
    return {
      // Known only once it runs.
      get pid() {
        return child.pid;
      },
      send: (message) => (isSpawned ? post(message) : void pending.push(message)),
      onMessage: (listener) => void child.on('message', (message) => listener(message as FromControlPlane)),
      onExit: (listener) => (ended === undefined ? void listeners.push(listener) : listener(ended)),
      kill(signal) {
        if (signal === 'SIGTERM') child.kill();
        else if (child.pid !== undefined) process.kill(child.pid, signal);
      },
    };
  };
}
