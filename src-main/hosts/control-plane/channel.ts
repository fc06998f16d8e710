// The line to the host that started this process: Node's IPC of `child_process.fork`, or the port of an Electron
// utility process. Its end means that the host is gone.

import { PilothouseError } from '../../kit';
import { commandName } from '../../machines';
import type { FromControlPlane, ToControlPlane } from '../../services';

export interface Channel {
  send(message: FromControlPlane): void;
  onMessage(listener: (message: ToControlPlane) => void): void;
  onDisconnect(listener: () => void): void;
}

/** What Electron puts on `process` in a utility process. */
interface ParentPort {
  postMessage(message: unknown): void;
  on(event: 'message', listener: (event: { data: unknown }) => void): unknown;
}

/** Error NO_PARENT when the process was started by hand. */
export function openChannel(): Channel {
  const parentPort = 'parentPort' in process ? (process.parentPort as ParentPort | null) : undefined;
  if (parentPort) {
    const post = parentPort.postMessage.bind(parentPort);
    return {
      send: (message) => post(message),
      onMessage: (listener) => void parentPort.on('message', ({ data }) => listener(data as ToControlPlane)),
      // Electron ends its utility processes together with itself.
      onDisconnect: () => undefined,
    };
  }
  if (!process.send) {
    throw new PilothouseError({
      code: 'NO_PARENT',
      message: 'this is a part of Pilothouse that its host starts',
      hint: `Use ${commandName()} up or ${commandName()} serve.`,
    });
  }
  return {
    // The host may be gone already: then `disconnect` is what counts.
    send: (message) => void (process.connected && process.send?.(message, undefined, undefined, () => undefined)),
    onMessage: (listener) => void process.on('message', (message) => listener(message as ToControlPlane)),
    onDisconnect: (listener) => void process.once('disconnect', listener),
  };
}
