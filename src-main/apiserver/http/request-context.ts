// One HTTP request on its way through the server.

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { User } from '../authn/user';
import type { ResourcePath } from './path';

export interface RequestContext {
  request: IncomingMessage;
  response: ServerResponse;
  method: string;
  /** Decoded path without the query. */
  path: string;
  query: URLSearchParams;
  user: User;
  /** Set when the path addresses a resource. */
  target: ResourcePath | undefined;
  /** Texts for Warning headers. */
  warnings: string[];
  /** Aborted when the client goes away or the server stops. */
  signal: AbortSignal;
}

const noQuery = new URLSearchParams();

export function splitUrl(url: string): { path: string; query: URLSearchParams } {
  const mark = url.indexOf('?');
  if (mark < 0) return { path: url, query: noQuery };
  return { path: url.slice(0, mark), query: new URLSearchParams(url.slice(mark + 1)) };
}

/** A query parameter, absent when it is missing or empty. */
export function parameter(query: URLSearchParams, name: string): string | undefined {
  return query.get(name) || undefined;
}

export function flag(query: URLSearchParams, name: string): boolean | undefined {
  const value = query.get(name);
  if (value === null) return undefined;
  return value === '' || value === 'true' || value === '1';
}
