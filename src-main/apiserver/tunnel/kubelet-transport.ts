// HTTPS requests to a node's kubelet through its tunnel: TLS with our kubelet client certificate inside of a CONNECT
// stream, the kubelet verified by our CA and by the node's name.

import { type IncomingMessage, request as httpRequest } from 'node:http';
import type { Duplex } from 'node:stream';
import { connect as tlsConnect, createSecureContext, type SecureContext, type TLSSocket } from 'node:tls';
import { type Clock, PilothouseError, systemClock } from '../../kit';
import type { NodeDialer } from './node-dialer';

export interface KubeletTransportOptions {
  dialer: NodeDialer;
  ca: string;
  cert: string;
  key: string;
  clock?: Clock;
}

export interface KubeletRequest {
  node: string;
  /** With its query. */
  path: string;
  signal: AbortSignal;
}

const kubeletAddress = { host: '127.0.0.1', port: 10250 };
const handshakeDeadlineMs = 10_000;
const responseDeadlineMs = 30_000;

export class KubeletTransport {
  private readonly secureContext: SecureContext;

  constructor(private readonly options: KubeletTransportOptions) {
    const { ca, cert, key } = options;
    this.secureContext = createSecureContext({ ca, cert, key });
  }

  /** The response as soon as its headers are there. Throws NODE_UNREACHABLE, DIAL_FAILED or KUBELET_FAILED. */
  async get(request: KubeletRequest): Promise<IncomingMessage> {
    const { node, path, signal } = request;
    const stream = await this.options.dialer.dial(node, kubeletAddress);
    const socket = await this.handshake(node, stream);
    return new Promise((resolve, reject) => {
      const clock = this.options.clock ?? systemClock;
      const outgoing = httpRequest({
        createConnection: () => socket,
        method: 'GET',
        path,
        headers: { Host: node, Connection: 'close' },
        signal,
      });
      const cancel = clock.after(responseDeadlineMs, () =>
        outgoing.destroy(new Error(`no answer within ${responseDeadlineMs} ms`)),
      );
      outgoing.on('error', (error) => {
        cancel();
        stream.destroy();
        reject(failure(node, error.message));
      });
      outgoing.on('response', (response) => {
        cancel();
        response.on('close', () => stream.destroy());
        resolve(response);
      });
      outgoing.end();
    });
  }

  private handshake(node: string, stream: Duplex): Promise<TLSSocket> {
    return new Promise((resolve, reject) => {
      const clock = this.options.clock ?? systemClock;
      const socket = tlsConnect({ socket: stream, secureContext: this.secureContext, servername: node });
      const cancel = clock.after(handshakeDeadlineMs, () =>
        socket.destroy(new Error(`no TLS handshake within ${handshakeDeadlineMs} ms`)),
      );
      const onError = (error: Error) => {
        cancel();
        stream.destroy();
        reject(failure(node, error.message));
      };
      socket.once('error', onError);
      socket.once('secureConnect', () => {
        cancel();
        socket.off('error', onError);
        resolve(socket);
      });
    });
  }
}

function failure(node: string, why: string): PilothouseError {
  return new PilothouseError({ code: 'KUBELET_FAILED', message: `kubelet of node "${node}": ${why}`, retryable: true });
}
