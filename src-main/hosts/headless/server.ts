// The HTTP side of the headless host: the window's files, and the RPC over WebSocket, on loopback only.

import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { getWSConnectionHandler } from '@trpc/server/adapters/ws';
import { type WebSocket, WebSocketServer } from 'ws';
import { appRouter, type HostServices, rpcPath } from '../../contract';
import { type Logger, messageOf, PilothouseError } from '../../kit';
import { checkRpcAccess, isOwnHost } from './access';
import { answer, serveStatic } from './static-files';

export interface HeadlessServerOptions {
  services: HostServices;
  token: string;
  port: number;
  /** Folder of the built window. */
  renderer: string;
  logger: Logger;
}

export interface HeadlessServer {
  port: number;
  url: string;
  stop(): Promise<void>;
}

/** Larger than any request of the contract: a piece of an uploaded image. */
const maxMessageBytes = 4 * 1024 * 1024;

/** Error PORT_TAKEN when something else listens there. */
export async function startHeadlessServer(options: HeadlessServerOptions): Promise<HeadlessServer> {
  const { logger, token } = options;
  const sockets = new WebSocketServer({ noServer: true, maxPayload: maxMessageBytes });
  const serve = getWSConnectionHandler({
    wss: sockets,
    router: appRouter,
    createContext: () => options.services,
    keepAlive: { enabled: true, pingMs: 30_000, pongWaitMs: 15_000 },
    onError: ({ error, path }) => reportRpcError(logger, error, path),
  });
  sockets.on('connection', serve);

  const server = createServer((request, response) => {
    void handle(request, response).catch((error: unknown) => {
      logger.warn('a request failed', { url: request.url?.split('?')[0], reason: messageOf(error) });
      if (response.headersSent) response.destroy();
      else answer(response, 500, 'failed');
    });
  });

  async function handle(...[request, response]: Parameters<NonNullable<Parameters<typeof createServer>[1]>>) {
    if (!isOwnHost(request.headers.host, port())) return answer(response, 403, 'not a host name of this computer');
    const url = request.url ?? '/';
    if (url.split('?')[0] === rpcPath) {
      // Asked without an upgrade: tells a page why its WebSocket was refused.
      const access = checkRpcAccess({ url, headers: request.headers }, { port: port(), token });
      return access.allowed
        ? answer(response, 426, 'a WebSocket is expected here')
        : answer(response, access.status, access.reason);
    }
    const connect = [`ws://127.0.0.1:${port()}`, `ws://localhost:${port()}`];
    await serveStatic(request, response, { root: options.renderer, connect });
  }

  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => socket.destroy());
    const access = checkRpcAccess({ url: request.url ?? '', headers: request.headers }, { port: port(), token });
    if (!access.allowed) {
      logger.warn('a connection was refused', { status: access.status, reason: access.reason });
      const body = `${access.reason}\n`;
      socket.end(
        `HTTP/1.1 ${access.status} Refused\r\nconnection: close\r\ncontent-type: text/plain\r\n` +
          `content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
      );
      return;
    }
    sockets.handleUpgrade(request, socket, head, (client: WebSocket) => sockets.emit('connection', client, request));
  });

  function port(): number {
    return (server.address() as AddressInfo | null)?.port ?? options.port;
  }

  await listen(server, options.port);
  return {
    port: port(),
    url: `http://127.0.0.1:${port()}`,
    async stop() {
      for (const client of sockets.clients) client.close(1001, 'the host ends');
      server.closeIdleConnections();
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      const force = setTimeout(() => {
        for (const client of sockets.clients) client.terminate();
        server.closeAllConnections();
      }, 1_000);
      await closed;
      clearTimeout(force);
    },
  };
}

/** Refusals are an answer like any other; what nobody foresaw is for a person to look at. */
export function reportRpcError(logger: Logger, error: Error & { cause?: unknown; code?: string }, path?: string): void {
  if (error.cause instanceof PilothouseError) {
    logger.debug('a call was refused', { path, code: error.cause.code, reason: error.cause.message });
  } else if (error.code === 'INTERNAL_SERVER_ERROR') {
    logger.error('a call failed unexpectedly', { path, error: error.cause ?? error });
  } else logger.debug('a call was not understood', { path, code: error.code });
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) =>
      reject(
        new PilothouseError({
          code: 'PORT_TAKEN',
          message: `127.0.0.1:${port} cannot be listened on: ${messageOf(error)}`,
          hint: 'Stop what listens there, or choose another port.',
          cause: error,
        }),
      ),
    );
    server.listen(port, '127.0.0.1', resolve);
  });
}
