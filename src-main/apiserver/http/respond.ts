// Writing answers. Bodies are bytes that exist already wherever possible.

import type { ServerResponse } from 'node:http';
import { stringify as stringifyYaml } from 'yaml';
import type { Status } from '../../api';
import { toApiError } from '../status/errors';
import type { RequestContext } from './request-context';

export interface Reply {
  code: number;
  body: Buffer | string;
  contentType?: string;
  headers?: Readonly<Record<string, string>>;
}

export function writeReply(context: RequestContext, reply: Reply): void {
  const { response, warnings } = context;
  if (response.headersSent || response.destroyed) return;
  const length = typeof reply.body === 'string' ? Buffer.byteLength(reply.body) : reply.body.length;
  const headers: Record<string, string | number | string[]> = {
    'Cache-Control': 'no-cache, private',
    'Content-Type': reply.contentType ?? 'application/json',
    'Content-Length': length,
    ...reply.headers,
  };
  if (warnings.length > 0) headers.Warning = warnings.map(warningHeader);
  response.writeHead(reply.code, headers);
  if (context.method === 'HEAD') response.end();
  else response.end(reply.body);
}

/** JSON bytes as they are, or as YAML when the client asked for it. */
export function writeJson(
  context: RequestContext,
  body: Buffer | string,
  options: { code?: number; yaml?: boolean } = {},
): void {
  const { code = 200, yaml = false } = options;
  if (!yaml) return writeReply(context, { code, body });
  const text = stringifyYaml(JSON.parse(body.toString()));
  writeReply(context, { code, body: text, contentType: 'application/yaml' });
}

/** Any thrown value as a Status. */
export function writeError(context: RequestContext, error: unknown): Status {
  const { status } = toApiError(error);
  const headers: Record<string, string> = {};
  const retry = status.details?.retryAfterSeconds;
  if (retry) headers['Retry-After'] = String(retry);
  if (status.code === 401) headers['WWW-Authenticate'] = 'Bearer realm="pilothouse"';
  writeReply(context, { code: status.code ?? 500, body: `${JSON.stringify(status)}\n`, headers });
  return status;
}

/** Resolves when the socket has taken what was written, or is gone. */
export function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      response.off('drain', done);
      response.off('close', done);
      resolve();
    };
    response.on('drain', done);
    response.on('close', done);
  });
}

function warningHeader(text: string): string {
  const safe = text
    .replaceAll(/[\r\n]+/g, ' ')
    .replaceAll('\\', '\\\\')
    .replaceAll('"', '\\"');
  return `299 - "${Buffer.from(safe, 'utf8').toString('latin1')}"`;
}
