// HTTP over TLS to one API server: requests share a keep-alive agent, streams (watch, log) get a connection of their
// own. Every refusal is an ApiError; every failure to reach the server is a PilothouseError `API_UNREACHABLE`.
// Only node:http(s) is used, so that the whole client can be bundled into one agent file.

import http, { type IncomingMessage } from 'node:http';
import https from 'node:https';
import type { Status } from '../api';
import { messageOf, PilothouseError } from '../kit';
import { ApiError } from './api-error';

export interface TransportOptions {
  /** e.g. https://10.0.2.2:6443; a path prefix is kept. `http:` is for a local proxy such as `kubectl proxy`. */
  server: string;
  /** PEM of the certificate authority; absent = the system's. */
  ca?: string | Buffer;
  /** PEM of a client certificate and its key. */
  cert?: string | Buffer;
  key?: string | Buffer;
  /** Bearer token, or where to read the current one. */
  token?: string | (() => string);
  userAgent: string;
  /** Name the certificate is checked against, when it is not the one in `server`. */
  serverName?: string;
  /** For a whole request; default 60 s. Streams have it for their response headers only. */
  deadlineMs?: number;
}

export interface RawRequest {
  method: string;
  /** Path with query. */
  path: string;
  headers?: Record<string, string>;
  body?: string | Buffer;
  signal?: AbortSignal;
  deadlineMs?: number;
}

export interface RawResponse {
  status: number;
  headers: http.IncomingHttpHeaders;
  body: Buffer;
}

const defaultDeadlineMs = 60_000;
const tcpKeepAliveMs = 15_000;

export class HttpsTransport {
  private readonly base: URL;
  private readonly agent: http.Agent;

  constructor(private readonly options: TransportOptions) {
    this.base = parseServer(options.server);
    const shared = { keepAlive: true, keepAliveMsecs: tcpKeepAliveMs, maxFreeSockets: 8, scheduling: 'lifo' as const };
    this.agent = this.base.protocol === 'https:' ? new https.Agent(shared) : new http.Agent(shared);
  }

  /** One request with its whole answer; throws ApiError for a status of 400 and above. */
  async request(request: RawRequest): Promise<RawResponse> {
    try {
      return await this.exchange(request);
    } catch (error) {
      // The server may close an idle connection just as it is picked for reuse; a read can simply be sent again.
      if (request.method === 'GET' && isStaleConnection(error)) return this.exchange(request);
      throw error;
    }
  }

  private async exchange(request: RawRequest): Promise<RawResponse> {
    const deadlineMs = request.deadlineMs ?? this.options.deadlineMs ?? defaultDeadlineMs;
    const deadline = new AbortController();
    const timer = setTimeout(() => deadline.abort(), deadlineMs);
    try {
      const response = await this.send(request, { signal: deadline.signal, shared: true });
      const body = await readAll(response);
      const status = response.statusCode ?? 0;
      if (status >= 400) throw new ApiError(statusOfBody(status, body));
      return { status, headers: response.headers, body };
    } catch (error) {
      if (deadline.signal.aborted) throw this.deadlineExceeded(request, deadlineMs);
      throw this.translate(error, request);
    } finally {
      clearTimeout(timer);
    }
  }

  /**
   * Opens a response to be read as it arrives, on a connection of its own. The deadline covers the response headers;
   * after them only `request.signal` and the peer end it. The caller must read it to its end or destroy it.
   */
  async stream(request: RawRequest): Promise<IncomingMessage> {
    const deadlineMs = request.deadlineMs ?? this.options.deadlineMs ?? defaultDeadlineMs;
    const deadline = new AbortController();
    const timer = setTimeout(() => deadline.abort(), deadlineMs);
    try {
      const response = await this.send(request, { signal: deadline.signal, shared: false });
      const status = response.statusCode ?? 0;
      if (status >= 400) throw new ApiError(statusOfBody(status, await readAll(response)));
      return response;
    } catch (error) {
      if (deadline.signal.aborted) throw this.deadlineExceeded(request, deadlineMs);
      throw this.translate(error, request);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Closes idle connections; requests under way end by themselves. */
  close(): void {
    this.agent.destroy();
  }

  /** A PilothouseError or the caller's own abort reason, of anything a connection failed with. */
  translate(error: unknown, request: RawRequest): unknown {
    if (error instanceof PilothouseError) return error;
    if (request.signal?.aborted) return request.signal.reason;
    return new PilothouseError({
      code: 'API_UNREACHABLE',
      message: `${request.method} ${this.base.origin}${request.path}: ${messageOf(error)}`,
      hint: 'Check that the cluster is running and that its API server can be reached at this address.',
      cause: error,
      details: { server: this.base.origin },
      retryable: true,
    });
  }

  private deadlineExceeded(request: RawRequest, deadlineMs: number): PilothouseError {
    return new PilothouseError({
      code: 'API_UNREACHABLE',
      message: `${request.method} ${this.base.origin}${request.path}: no answer within ${deadlineMs} ms`,
      hint: 'The API server is overloaded or cannot be reached; look at its log.',
      details: { server: this.base.origin, deadlineMs },
      retryable: true,
    });
  }

  private send(request: RawRequest, how: { signal: AbortSignal; shared: boolean }): Promise<IncomingMessage> {
    const { options, base } = this;
    const prefix = base.pathname === '/' ? '' : base.pathname.replace(/\/$/, '');
    const token = typeof options.token === 'function' ? options.token() : options.token;
    const headers: Record<string, string> = { 'user-agent': options.userAgent, accept: 'application/json' };
    if (token) headers['authorization'] = `Bearer ${token}`;
    if (request.body !== undefined) headers['content-length'] = String(Buffer.byteLength(request.body));
    const requestOptions: https.RequestOptions = {
      protocol: base.protocol,
      host: base.hostname.replace(/^\[|\]$/g, ''),
      port: base.port,
      method: request.method,
      path: prefix + request.path,
      headers: { ...headers, ...request.headers },
      agent: how.shared ? this.agent : false,
      ca: options.ca,
      cert: options.cert,
      key: options.key,
      servername: options.serverName,
    };
    return new Promise((resolve, reject) => {
      if (request.signal?.aborted) return reject(request.signal.reason);
      const outgoing = (base.protocol === 'https:' ? https : http).request(requestOptions);
      // Destroying the request also destroys a response that is still being read.
      const abort = () => outgoing.destroy(new Error('aborted'));
      request.signal?.addEventListener('abort', abort, { once: true });
      how.signal.addEventListener('abort', abort, { once: true });
      outgoing.on('close', () => request.signal?.removeEventListener('abort', abort));
      outgoing.on('socket', (socket) => socket.setKeepAlive(true, tcpKeepAliveMs));
      outgoing.on('error', (error) => reject(outgoing.reusedSocket ? new StaleConnection(error) : error));
      outgoing.on('response', resolve);
      outgoing.end(request.body);
    });
  }
}

class StaleConnection extends Error {
  constructor(cause: Error) {
    super(cause.message, { cause });
  }
}

function isStaleConnection(error: unknown): boolean {
  return error instanceof PilothouseError && error.code === 'API_UNREACHABLE' && error.cause instanceof StaleConnection;
}

function parseServer(server: string): URL {
  const url = URL.canParse(server) ? new URL(server) : undefined;
  if (url && (url.protocol === 'https:' || url.protocol === 'http:')) return url;
  throw new PilothouseError({
    code: 'CLIENT_BAD_SERVER',
    message: `"${server}" is not the URL of an API server`,
    hint: 'Give an address such as https://127.0.0.1:6443.',
  });
}

async function readAll(response: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

const reasons: Readonly<Record<number, string>> = {
  400: 'BadRequest',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  405: 'MethodNotAllowed',
  406: 'NotAcceptable',
  409: 'Conflict',
  410: 'Gone',
  415: 'UnsupportedMediaType',
  422: 'Invalid',
  429: 'TooManyRequests',
  500: 'InternalError',
  503: 'ServiceUnavailable',
  504: 'Timeout',
};

/** The Status in an error body, or one made from the HTTP status when something else (a proxy) answered. */
function statusOfBody(code: number, body: Buffer): Status {
  const text = body.toString('utf8');
  const parsed = parseObject(text);
  if (parsed?.['kind'] === 'Status') return { code, ...parsed } as unknown as Status;
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    reason: reasons[code] ?? 'Unknown',
    message: text.trim().slice(0, 1024) || `the server answered ${code}`,
    code,
  };
}

function parseObject(text: string): Record<string, unknown> | undefined {
  if (!text.startsWith('{')) return undefined;
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch (error) {
    // A proxy's page or a body cut short: the caller shows its text instead.
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
