// The upgrade that makes a node's connection a tunnel: GET /pilothouse/v1/tunnel with the node's own certificate.

import type { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Status } from '../../api';
import type { Authenticator } from '../authn/authenticator';
import { nodeNameOf } from '../authz/node-authorizer';
import { badRequest, forbiddenPath, toApiError, unknownPath } from '../status/errors';
import { splitUrl } from '../http/request-context';
import type { TunnelRegistry } from './node-dialer';

export const tunnelPath = '/pilothouse/v1/tunnel';
export const tunnelProtocol = 'pilothouse-tunnel';

export interface UpgradeOptions {
  authenticator: Authenticator;
  tunnels: TunnelRegistry;
}

/** Answers an upgrade request: 101 and a tunnel, or a Status and the end of the connection. */
export function handleUpgrade(options: UpgradeOptions, request: IncomingMessage, socket: Duplex, head: Buffer): void {
  try {
    const node = nodeOf(options.authenticator, request);
    if (head.length > 0) socket.unshift(head);
    if (socket instanceof Socket) socket.setTimeout(0).setNoDelay(true);
    const refused = () => socket.destroy();
    socket.once('error', refused);
    const answer = `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${tunnelProtocol}\r\n\r\n`;
    // The HTTP/2 session takes over the socket's native handle, which must have no write of ours under way: Node aborts
    // the process when one completes after that.
    socket.write(answer, () => {
      setImmediate(() => {
        if (socket.destroyed) return;
        options.tunnels.accept(node, socket);
        socket.off('error', refused);
      });
    });
  } catch (error) {
    refuse(socket, toApiError(error).status);
  }
}

function nodeOf(authenticator: Authenticator, request: IncomingMessage): string {
  const { path } = splitUrl(request.url ?? '');
  const user = authenticator.authenticate(request);
  if (path !== tunnelPath) throw unknownPath();
  if (request.headers.upgrade?.toLowerCase() !== tunnelProtocol) {
    throw badRequest(`the only protocol to upgrade to here is ${tunnelProtocol}`);
  }
  const node = nodeNameOf(user);
  if (node === undefined) throw forbiddenPath(`User "${user.name}" cannot open a node tunnel: it is no node`);
  return node;
}

const reasons: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
};

function refuse(socket: Duplex, status: Status): void {
  const body = JSON.stringify(status);
  const code = status.code ?? 500;
  socket.on('error', () => socket.destroy());
  socket.end(
    `HTTP/1.1 ${code} ${reasons[code] ?? 'Error'}\r\nConnection: close\r\nContent-Type: application/json\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}
