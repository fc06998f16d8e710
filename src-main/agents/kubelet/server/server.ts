// The kubelet's HTTPS server. Only holders of a certificate of the cluster's CA get in, and of those only the API server
// and administrators. Exec, attach and port-forward are not served yet.

import { type IncomingMessage, type ServerResponse } from 'node:http';
import { type Server, createServer } from 'node:https';
import type { TLSSocket } from 'node:tls';
import type { Pod } from '../../../api';
import { type Logger, messageOf } from '../../../kit';
import type { ContainerRuntime } from '../runtime/runtime';
import { LogRefusal, serveLogs } from './container-logs';

export interface KubeletServerOptions {
  tls: { cert: string | Buffer; key: string | Buffer; ca: string | Buffer };
  address: string;
  port: number;
  runtime: ContainerRuntime;
  pods(): readonly Pod[];
  /** undefined = healthy. */
  problem(): string | undefined;
  logger: Logger;
}

const allowedUsers = new Set(['kube-apiserver-kubelet-client']);
const allowedGroups = new Set(['system:masters']);

export interface Subject {
  CN?: string | string[];
  O?: string | string[];
}

const list = (value: string | string[] | undefined) => (value === undefined ? [] : [value].flat());

export function isAllowed(subject: Subject): boolean {
  return (
    list(subject.CN).some((name) => allowedUsers.has(name)) || list(subject.O).some((group) => allowedGroups.has(group))
  );
}

export class KubeletServer {
  private readonly server: Server;

  constructor(private readonly options: KubeletServerOptions) {
    const { cert, key, ca } = options.tls;
    this.server = createServer(
      { cert, key, ca, requestCert: true, rejectUnauthorized: true, minVersion: 'TLSv1.2' },
      (request, response) => void this.answer(request, response),
    );
    // A following reader may be silent for hours.
    this.server.requestTimeout = 0;
    this.server.timeout = 0;
  }

  /** Answers the port. */
  listen(): Promise<number> {
    const { address, port } = this.options;
    return new Promise((resolve, reject) => {
      this.server.once('error', reject);
      this.server.listen(port, address, () => {
        const bound = this.server.address();
        resolve(typeof bound === 'object' && bound ? bound.port : port);
      });
    });
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise<void>((resolve) => {
      this.server.close(() => resolve());
    });
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'https://kubelet');
    try {
      const { subject } = (request.socket as TLSSocket).getPeerCertificate();
      if (!isAllowed((subject ?? {}) as Subject)) return this.text(response, 403, 'Forbidden');
      await this.route(request, response, url);
    } catch (error) {
      if (error instanceof LogRefusal) return this.text(response, error.status, error.message);
      this.options.logger.warn('request failed', { path: url.pathname, error });
      if (response.headersSent) response.destroy();
      else this.text(response, 500, messageOf(error));
    }
  }

  private async route(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
    const parts = url.pathname.split('/').filter(Boolean).map(decodeURIComponent);
    const [first, namespace, pod, container] = parts;
    if (request.method !== 'GET') return this.text(response, 405, 'Method Not Allowed');
    if (first === 'healthz' && parts.length === 1) {
      const problem = this.options.problem();
      return this.text(response, problem ? 500 : 200, problem ?? 'ok');
    }
    if (first === 'pods' && parts.length === 1) {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ kind: 'PodList', apiVersion: 'v1', metadata: {}, items: this.options.pods() }));
      return;
    }
    if (first === 'containerLogs' && namespace && pod && container && parts.length === 4) {
      const { runtime, pods } = this.options;
      const findPod = (ns: string, name: string) =>
        pods().find((entry) => entry.metadata.namespace === ns && entry.metadata.name === name);
      const target = { namespace, pod, container, query: url.searchParams };
      return serveLogs(target, response, { runtime, findPod, now: () => Date.now() });
    }
    this.text(response, 404, '404 page not found');
  }

  private text(response: ServerResponse, status: number, text: string): void {
    response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' });
    response.end(text);
  }
}
