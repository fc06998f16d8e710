// The tunnels of all nodes, and dialling through them. A node connects to us and upgrades that connection; we then are
// the HTTP/2 client on it and open one CONNECT stream a connection. The newest tunnel of a node wins; pings find dead ones.

import { connect, type ClientHttp2Session, constants } from 'node:http2';
import type { Duplex } from 'node:stream';
import { type Clock, type Logger, messageOf, PilothouseError, systemClock } from '../../kit';

export interface DialAddress {
  host: string;
  port: number;
}

export interface NodeDialer {
  /**
   * A connection to an address as seen from the node. Throws NODE_UNREACHABLE (no tunnel, or it broke) or DIAL_FAILED
   * (the node could not connect there).
   */
  dial(node: string, address: DialAddress): Promise<Duplex>;
  connected(node: string): boolean;
}

interface Tunnel {
  session: ClientHttp2Session;
  cancelPing(): void;
}

const pingMs = 15_000;
const pingDeadlineMs = 10_000;
const dialDeadlineMs = 10_000;
const windowBytes = 4 * 1024 * 1024;

export class TunnelRegistry implements NodeDialer {
  private readonly tunnels = new Map<string, Tunnel>();

  constructor(private readonly options: { logger: Logger; clock?: Clock }) {}

  private get clock(): Clock {
    return this.options.clock ?? systemClock;
  }

  connected(node: string): boolean {
    return this.tunnels.has(node);
  }

  /** Takes over an upgraded socket of a node. */
  accept(node: string, socket: Duplex): void {
    const { logger } = this.options;
    const session = connect('http://tunnel', {
      createConnection: () => socket,
      settings: { initialWindowSize: windowBytes },
    });
    session.setMaxListeners(0);
    session.once('connect', () => session.setLocalWindowSize(windowBytes));
    const tunnel: Tunnel = { session, cancelPing: () => {} };
    const previous = this.tunnels.get(node);
    this.tunnels.set(node, tunnel);
    if (previous) this.discard(previous);
    const gone = (why: string) => {
      tunnel.cancelPing();
      if (this.tunnels.get(node) !== tunnel) return;
      this.tunnels.delete(node);
      logger.warn('node tunnel closed', { node, why });
    };
    session.on('error', (error) => gone(error.message));
    session.on('close', () => gone('closed'));
    socket.on('error', (error) => {
      gone(error.message);
      session.destroy();
    });
    this.keepAlive(tunnel);
    logger.info('node tunnel open', { node });
  }

  async dial(node: string, address: DialAddress): Promise<Duplex> {
    const tunnel = this.tunnels.get(node);
    if (!tunnel) {
      throw new PilothouseError({
        code: 'NODE_UNREACHABLE',
        message: `node "${node}" has no tunnel to the API server`,
        hint: 'The kubelet of the node dials the API server by itself: look at the state of the node and of its kubelet.',
        retryable: true,
      });
    }
    const stream = tunnel.session.request(
      { ':method': 'CONNECT', ':authority': authorityOf(address) },
      { endStream: false },
    );
    return new Promise((resolve, reject) => {
      const fail = (why: string) => {
        cancel();
        stream.close(constants.NGHTTP2_CANCEL);
        reject(
          new PilothouseError({
            code: 'DIAL_FAILED',
            message: `dialling ${authorityOf(address)} on node "${node}": ${why}`,
            retryable: true,
          }),
        );
      };
      const onError = (error: Error) => fail(error.message);
      const onClose = () => fail('the tunnel closed');
      const cancel = this.clock.after(dialDeadlineMs, () => fail(`nothing within ${dialDeadlineMs} ms`));
      stream.once('error', onError);
      stream.once('close', onClose);
      stream.once('response', (headers) => {
        const status = Number(headers[':status']);
        if (status !== 200) {
          const reason = headers['x-error'];
          fail(typeof reason === 'string' ? reason : `the node answered ${status}`);
          return;
        }
        cancel();
        stream.off('error', onError);
        stream.off('close', onClose);
        resolve(stream);
      });
    });
  }

  /** Closes all tunnels. */
  stop(): void {
    for (const tunnel of this.tunnels.values()) this.discard(tunnel);
    this.tunnels.clear();
  }

  private discard(tunnel: Tunnel): void {
    tunnel.cancelPing();
    tunnel.session.destroy();
  }

  private keepAlive(tunnel: Tunnel): void {
    const { session } = tunnel;
    const next = () => {
      tunnel.cancelPing = this.clock.after(pingMs, () => {
        if (session.destroyed) return;
        const cancelDeadline = this.clock.after(pingDeadlineMs, () =>
          session.destroy(new Error('no answer to a ping')),
        );
        tunnel.cancelPing = cancelDeadline;
        try {
          session.ping((error) => {
            cancelDeadline();
            if (!error && !session.destroyed) next();
          });
        } catch (error) {
          cancelDeadline();
          this.options.logger.debug('ping refused', { error: messageOf(error) });
          session.destroy();
        }
      });
    };
    next();
  }
}

export function authorityOf({ host, port }: DialAddress): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
