// Serves the RPC to the windows over Electron IPC. Only the main frame of our own page is listened to; a page that
// reloads or goes away takes its subscriptions with it.

import type { IncomingMessage } from 'node:http';
import { getWSConnectionHandler } from '@trpc/server/adapters/ws';
import { type WebSocket, WebSocketServer } from 'ws';
import { appRouter, type HostServices, ipcChannel, rpcPath } from '../../contract';
import type { Logger } from '../../kit';
import { reportRpcError } from '../headless/server';
import { IpcSocket } from './ipc-socket';

/** What is used of Electron's WebContents. */
export interface Page {
  readonly id: number;
  send(channel: string, message: string): void;
  isDestroyed(): boolean;
  once(event: 'destroyed', listener: () => void): unknown;
  on(
    event: 'did-start-navigation',
    listener: (details: { isMainFrame: boolean; isSameDocument: boolean }) => void,
  ): unknown;
}

export interface IncomingIpc {
  sender: Page;
  /** The frame that speaks; null when it is gone already. */
  senderFrame: { url: string; parent: unknown } | null;
}

/** What is used of Electron's ipcMain. */
export interface IpcReceiver {
  on(channel: string, listener: (event: IncomingIpc, message: unknown) => void): unknown;
  removeAllListeners(channel: string): unknown;
}

export interface IpcTransportOptions {
  ipc: IpcReceiver;
  services: HostServices;
  /** Pages that may speak: their URL begins with this. */
  pageOrigin: string;
  logger: Logger;
}

/** As large as the WebSocket allows. */
const maxMessageCharacters = 4 * 1024 * 1024;

/** The answered function ends every connection. */
export function serveIpc(options: IpcTransportOptions): () => void {
  const { ipc, logger } = options;
  const sockets = new Map<number, IpcSocket>();
  const serve = getWSConnectionHandler({
    // The handler only keeps it for servers of its own.
    wss: new WebSocketServer({ noServer: true }),
    router: appRouter,
    createContext: () => options.services,
    onError: ({ error, path }) => reportRpcError(logger, error, path),
  });

  function open(page: Page): IpcSocket {
    const socket = new IpcSocket((message) => {
      if (!page.isDestroyed()) page.send(ipcChannel, message);
    });
    sockets.set(page.id, socket);
    socket.once('close', () => {
      if (sockets.get(page.id) === socket) sockets.delete(page.id);
    });
    serve(socket as unknown as WebSocket, { url: rpcPath, headers: {}, socket: {} } as unknown as IncomingMessage);
    return socket;
  }

  const known = new Set<number>();
  function watch(page: Page): void {
    if (known.has(page.id)) return;
    known.add(page.id);
    page.once('destroyed', () => {
      sockets.get(page.id)?.close();
      known.delete(page.id);
    });
    page.on('did-start-navigation', ({ isMainFrame, isSameDocument }) => {
      if (isMainFrame && !isSameDocument) sockets.get(page.id)?.close();
    });
  }

  ipc.on(ipcChannel, ({ sender, senderFrame }, message) => {
    const isOurs =
      senderFrame !== null && senderFrame.parent === null && senderFrame.url.startsWith(options.pageOrigin);
    if (!isOurs || typeof message !== 'string' || message.length > maxMessageCharacters) {
      logger.warn('a message of an unexpected sender or form was dropped', { url: senderFrame?.url });
      return;
    }
    watch(sender);
    (sockets.get(sender.id) ?? open(sender)).receive(message);
  });
  return () => {
    ipc.removeAllListeners(ipcChannel);
    for (const socket of sockets.values()) socket.close();
  };
}
