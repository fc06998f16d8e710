// What etcd answers over plain HTTP: /health, /version and /metrics.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { etcdClusterVersion, etcdVersion } from './version';

export interface HttpPages {
  /** Why the member is unhealthy; undefined = it is well. */
  unhealthy: () => string | undefined;
  metrics: () => string;
}

const text = 'text/plain; charset=utf-8';
const json = 'application/json';

export function answerHttp(pages: HttpPages, request: IncomingMessage, response: ServerResponse): void {
  const send = (code: number, type: string, body: string) => {
    response.writeHead(code, { 'Content-Type': type, 'Content-Length': Buffer.byteLength(body) });
    response.end(request.method === 'HEAD' ? undefined : body);
  };
  const path = (request.url ?? '/').split('?')[0];
  if (path !== '/health' && path !== '/version' && path !== '/metrics') return send(404, text, '404 page not found\n');
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('Allow', 'GET');
    return send(405, text, 'Method Not Allowed\n');
  }
  if (path === '/version') {
    return send(200, json, JSON.stringify({ etcdserver: etcdVersion, etcdcluster: etcdClusterVersion }));
  }
  if (path === '/metrics') return send(200, 'text/plain; version=0.0.4; charset=utf-8', pages.metrics());
  const reason = pages.unhealthy();
  const body = JSON.stringify({ health: reason === undefined ? 'true' : 'false', reason: reason ?? '' });
  send(reason === undefined ? 200 : 503, json, body);
}
