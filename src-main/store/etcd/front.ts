// One port for gRPC and for plain HTTP, as etcd has it: the first bytes of a connection tell which it is. Over TLS the
// handshake is done here and both see plain bytes (the socket still knows the client's certificate).

import { createServer as createHttpServer, type RequestListener } from 'node:http';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { createServer as createTlsServer, type TlsOptions } from 'node:tls';
import type { Logger } from '../../kit';

export interface FrontOptions {
  host: string;
  /** 0 = any free one. */
  port: number;
  tls?: TlsOptions;
  /** Takes a connection that speaks HTTP/2. */
  onGrpc: (socket: Socket) => void;
  onHttp: RequestListener;
  logger: Logger;
}

export interface Front {
  host: string;
  port: number;
  /** Stops listening; connections go on until `destroy`. */
  close(): Promise<void>;
  destroy(): void;
}

/** How HTTP/2 begins: `PRI * HTTP/2.0`. */
const prefaceStart = Buffer.from('PRI');
/** A connection that says nothing, or does not finish its handshake, is given up. */
const firstBytesMs = 10_000;

export async function listenFront(options: FrontOptions): Promise<Front> {
  const { host, port, tls, onGrpc, logger } = options;
  const sockets = new Set<Socket>();
  const http = createHttpServer(options.onHttp);
  const take = (socket: Socket) => {
    socket.setNoDelay(true);
    sniff(socket, (isHttp2) => {
      if (isHttp2) onGrpc(socket);
      else http.emit('connection', socket);
    });
  };
  const track = (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    // A broken connection is the client's affair; the socket closes by itself.
    socket.on('error', (error) => logger.debug('client connection failed', { error: error.message }));
  };
  // gRPC clients offer h2 alone; browsers and curl, which offer both, come for the pages.
  const server = tls
    ? createTlsServer({ ...tls, ALPNProtocols: ['http/1.1', 'h2'], handshakeTimeout: firstBytesMs }, take)
    : createServer({ pauseOnConnect: false }, take);
  server.on('connection', track);
  server.on('secureConnection', (socket: Socket) => {
    socket.on('error', (error) => logger.debug('TLS connection failed', { error: error.message }));
  });
  server.on('tlsClientError', (error: Error) => logger.debug('TLS handshake failed', { error: error.message }));
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      server.on('error', (error) => logger.error('client port failed', { error: error.message }));
      resolve();
    });
  });
  const closed = new Promise<void>((resolve) => {
    server.once('close', resolve);
  });
  return {
    host,
    port: (server.address() as AddressInfo).port,
    close() {
      server.close();
      http.closeIdleConnections();
      return closed;
    },
    destroy() {
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** Calls back once enough came to tell, with everything put back into the socket. */
function sniff(socket: Socket, decide: (isHttp2: boolean) => void): void {
  let seen = Buffer.alloc(0);
  const deadline = setTimeout(() => socket.destroy(), firstBytesMs).unref();
  const stop = () => {
    clearTimeout(deadline);
    socket.off('readable', look);
    socket.off('close', stop);
  };
  const look = () => {
    for (let chunk: Buffer | null; seen.length < prefaceStart.length && (chunk = socket.read() as Buffer | null); ) {
      seen = Buffer.concat([seen, chunk]);
    }
    const length = Math.min(seen.length, prefaceStart.length);
    if (length === 0) return;
    const same = seen.subarray(0, length).equals(prefaceStart.subarray(0, length));
    if (same && length < prefaceStart.length) return;
    stop();
    socket.unshift(seen);
    decide(same);
  };
  socket.on('readable', look);
  socket.once('close', stop);
}
