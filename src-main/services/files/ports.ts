// Picking TCP ports on loopback.

import { createServer } from 'node:net';
import { PilothouseError } from '../../kit';

/** Whether this process could listen on 127.0.0.1:port right now. */
export function isPortFree(port: number, host = '127.0.0.1'): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(true)));
  });
}

export interface FreePortOptions {
  from: number;
  /** Ports given away already, even when nothing listens there now. */
  taken?: ReadonlySet<number>;
  tries?: number;
}

/** First free port of 127.0.0.1 from `from` on. Error NO_FREE_PORT. */
export async function firstFreePort(options: FreePortOptions): Promise<number> {
  const end = Math.min(options.from + (options.tries ?? 200), 65_536);
  for (let port = options.from; port < end; port++) {
    if (!options.taken?.has(port) && (await isPortFree(port))) return port;
  }
  throw new PilothouseError({
    code: 'NO_FREE_PORT',
    message: `no free port on 127.0.0.1 from ${options.from} to ${end - 1}`,
    hint: 'Stop a program that listens there.',
  });
}
