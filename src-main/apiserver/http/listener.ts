// The TLS listener: client certificates are asked for and never demanded, connections are tracked so that a stop ends.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type Clock, type Logger, PilothouseError, systemClock } from '../../kit';

export interface ListenerOptions {
  host: string;
  port: number;
  ca: string;
  cert: string;
  key: string;
  onRequest(request: IncomingMessage, response: ServerResponse): void;
  onUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  logger: Logger;
  clock?: Clock;
}

const stopDeadlineMs = 3_000;
const bodyDeadlineMs = 60_000;
const idleMs = 120_000;

export class Listener {
  private readonly sockets = new Set<Socket>();

  private constructor(
    private readonly server: Server,
    private readonly clock: Clock,
  ) {}

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** Throws LISTEN_FAILED when the port is taken or the address is not ours. */
  static async open(options: ListenerOptions): Promise<Listener> {
    const { ca, cert, key, host, port, logger } = options;
    const server = createServer({
      ca,
      cert,
      key,
      requestCert: true,
      rejectUnauthorized: false,
      minVersion: 'TLSv1.2',
      ALPNProtocols: ['http/1.1'],
      requestTimeout: bodyDeadlineMs,
      headersTimeout: 30_000,
      keepAliveTimeout: idleMs,
      noDelay: true,
    });
    const listener = new Listener(server, options.clock ?? systemClock);
    server.on('secureConnection', (socket) => {
      listener.sockets.add(socket);
      socket.on('close', () => listener.sockets.delete(socket));
    });
    server.on('request', options.onRequest);
    server.on('upgrade', options.onUpgrade);
    server.on('tlsClientError', (error) => logger.debug('TLS handshake failed', { error: error.message }));
    server.on('clientError', (_error, socket) => socket.destroy());
    await new Promise<void>((resolve, reject) => {
      server.once('error', (cause) => {
        reject(
          new PilothouseError({
            code: 'LISTEN_FAILED',
            message: `the API server cannot listen on ${host}:${port}: ${cause.message}`,
            hint: 'Another program may have the port; choose another one or end that program.',
            cause,
          }),
        );
      });
      server.listen(port, host, resolve);
    });
    return listener;
  }

  /** Takes no more connections, lets running requests end and then closes what is left. */
  stop(): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.clock.after(stopDeadlineMs, () => {
        for (const socket of this.sockets) socket.destroy();
      });
      this.server.close(() => {
        cancel();
        resolve();
      });
      this.server.closeIdleConnections();
    });
  }
}
