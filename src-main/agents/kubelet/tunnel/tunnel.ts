// The node's side of the tunnel. The kubelet dials the API server, upgrades the connection and then serves HTTP/2 on it:
// each CONNECT stream the API server opens is joined to a TCP connection on this node. So a node needs no way in.

import { type ServerHttp2Session, type ServerHttp2Stream, performServerHandshake } from 'node:http2';
import { request as httpsRequest } from 'node:https';
import { connect, isIPv4 } from 'node:net';
import type { Duplex } from 'node:stream';
import { Backoff, type Clock, type Logger, PilothouseError, messageOf, sleep } from '../../../kit';
import { apiRetryMaxMs } from '../../process/api-retry';
import type { ApiAccess } from '../../process/kubeconfig';
import { inNetwork } from './cidr';

export interface TunnelOptions {
  access: ApiAccess;
  nodeName: string;
  kubeletPort: number;
  /** Networks the API server may reach through this node: Pods and Services. */
  networks: readonly string[];
  clock: Clock;
  logger: Logger;
  random?: () => number;
}

const path = '/pilothouse/v1/tunnel';
const protocol = 'pilothouse-tunnel';
/** What the API server calls this node's kubelet, wherever that listens. */
const wellKnownKubeletPort = 10250;
const dialTimeoutMs = 15_000;
const pingEveryMs = 15_000;
const pingTimeoutMs = 10_000;
const connectTimeoutMs = 10_000;

export interface Target {
  host: string;
  port: number;
}

/** The place an authority names, or undefined when it is none the API server may reach. */
export function allowedTarget(
  authority: string,
  rules: { kubeletPort: number; networks: readonly string[] },
): Target | undefined {
  const match = /^([^:]+):(\d{1,5})$/.exec(authority);
  if (!match) return undefined;
  const [host, port] = [match[1]!, Number(match[2])];
  if (port < 1 || port > 65_535) return undefined;
  if (host === '127.0.0.1' || host === 'localhost') {
    const own = port === wellKnownKubeletPort || port === rules.kubeletPort;
    return own ? { host: '127.0.0.1', port: rules.kubeletPort } : undefined;
  }
  return isIPv4(host) && rules.networks.some((cidr) => inNetwork(host, cidr)) ? { host, port } : undefined;
}

export class Tunnel {
  private readonly backoff = new Backoff<'dial'>({ baseMs: 250, maxMs: apiRetryMaxMs });
  /** Whether the API server can reach this node now. */
  connected = false;

  constructor(private readonly options: TunnelOptions) {}

  /** Dials for ever, until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { logger, clock, random = Math.random } = this.options;
    while (!signal.aborted) {
      try {
        const socket = await this.dial(signal);
        this.backoff.forget('dial');
        logger.info('tunnel open');
        this.connected = true;
        await this.serve(socket, signal);
        logger.info('tunnel closed');
      } catch (error) {
        if (!signal.aborted) logger.warn('tunnel not open, dialling again', { error });
      }
      this.connected = false;
      if (signal.aborted) return;
      try {
        await sleep(this.backoff.next('dial') * (0.5 + random() / 2), { signal, clock });
      } catch (error) {
        logger.trace('stopped', { reason: messageOf(error) });
      }
    }
  }

  private dial(signal: AbortSignal): Promise<Duplex> {
    const { server, ca, cert, key, token } = this.options.access;
    const headers: Record<string, string> = {
      connection: 'Upgrade',
      upgrade: protocol,
      'x-pilothouse-node': this.options.nodeName,
      ...(token ? { authorization: `Bearer ${token}` } : {}),
    };
    return new Promise((resolve, reject) => {
      const request = httpsRequest(new URL(path, server), { ca, cert, key, headers, signal, agent: false });
      const timer = setTimeout(() => request.destroy(new Error('no answer to the upgrade')), dialTimeoutMs);
      request.once('error', (error) => {
        clearTimeout(timer);
        reject(error);
      });
      request.once('response', (response) => {
        clearTimeout(timer);
        response.resume();
        const message = `the API server refused the tunnel: HTTP ${response.statusCode}`;
        reject(new PilothouseError({ code: 'TUNNEL_REFUSED', message, retryable: true }));
      });
      request.once('upgrade', (_response, socket, head) => {
        clearTimeout(timer);
        socket.setTimeout(0);
        socket.setNoDelay(true);
        if (head.length > 0) socket.unshift(head);
        resolve(socket);
      });
      request.end();
    });
  }

  private serve(socket: Duplex, signal: AbortSignal): Promise<void> {
    const session = performServerHandshake(socket, { settings: { initialWindowSize: 1 << 20 } });
    return new Promise((resolve) => {
      const close = () => session.destroy();
      signal.addEventListener('abort', close, { once: true });
      const stopPings = this.keepAlive(session);
      session.on('error', (error) => this.options.logger.debug('tunnel session failed', { error }));
      session.on('stream', (stream, headers) => this.join(stream, headers));
      session.once('close', () => {
        stopPings();
        signal.removeEventListener('abort', close);
        socket.destroy();
        resolve();
      });
    });
  }

  private keepAlive(session: ServerHttp2Session): () => void {
    const { clock, logger } = this.options;
    let cancel = () => {};
    const next = () => {
      cancel = clock.after(pingEveryMs, () => {
        const cancelTimeout = clock.after(pingTimeoutMs, () => {
          logger.warn('the API server does not answer pings on the tunnel');
          session.destroy();
        });
        cancel = cancelTimeout;
        session.ping((error) => {
          cancelTimeout();
          if (error) session.destroy();
          else if (!session.destroyed) next();
        });
      });
    };
    next();
    return () => cancel();
  }

  private join(stream: ServerHttp2Stream, headers: { ':method'?: string; ':authority'?: string }): void {
    const { logger } = this.options;
    stream.on('error', (error) => logger.debug('tunnel stream failed', { error }));
    if (headers[':method'] !== 'CONNECT') return stream.respond({ ':status': 405 }, { endStream: true });
    const authority = headers[':authority'] ?? '';
    const target = allowedTarget(authority, this.options);
    if (!target) {
      logger.warn('tunnel stream to a place that is not allowed', { authority });
      return stream.respond({ ':status': 403, 'x-error': `${authority} is not allowed` }, { endStream: true });
    }
    const upstream = connect({ ...target, noDelay: true });
    const timer = setTimeout(() => upstream.destroy(new Error('connect timed out')), connectTimeoutMs);
    let open = false;
    upstream.once('connect', () => {
      clearTimeout(timer);
      open = true;
      if (stream.destroyed) return void upstream.destroy();
      stream.respond({ ':status': 200 });
      stream.pipe(upstream);
      upstream.pipe(stream);
    });
    upstream.on('error', (error) => {
      clearTimeout(timer);
      logger.debug('tunnel target failed', { authority, error });
      if (!open && !stream.destroyed && !stream.headersSent)
        stream.respond({ ':status': 502, 'x-error': messageOf(error) }, { endStream: true });
      else stream.destroy();
    });
    upstream.once('close', () => {
      if (open && !stream.writableEnded) stream.end();
    });
    stream.once('close', () => upstream.destroy());
  }
}
