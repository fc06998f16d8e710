// Who may talk to the headless host: whoever knows the token and is not another web page. Three checks, each against a
// different visitor: the Host header (DNS rebinding), Origin (other sites in the person's browser), token (other users
// and programs of this computer).

import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { rpcPath, tokenParameter } from '../../contract';

export interface AccessRules {
  port: number;
  token: string;
}

export type Access = { allowed: true } | { allowed: false; status: 400 | 401 | 403 | 404; reason: string };

const hostNames = ['127.0.0.1', 'localhost', '[::1]'];

/** Whether the Host header names this host as seen from this computer. */
export function isOwnHost(host: string | undefined, port: number): boolean {
  return hostNames.some((name) => host === `${name}:${port}`);
}

/** Whether an RPC connection may be opened. A browser always sends Origin; the command line sends none. */
export function checkRpcAccess(request: { url: string; headers: IncomingHttpHeaders }, rules: AccessRules): Access {
  const { host, origin } = request.headers;
  if (!isOwnHost(host, rules.port)) return { allowed: false, status: 403, reason: 'not a host name of this computer' };
  if (!URL.canParse(request.url, 'http://localhost')) return { allowed: false, status: 400, reason: 'not a URL' };
  const url = new URL(request.url, 'http://localhost');
  if (url.pathname !== rpcPath) return { allowed: false, status: 404, reason: 'nothing here' };
  if (origin !== undefined && origin !== `http://${host}`) {
    return { allowed: false, status: 403, reason: 'another site may not connect' };
  }
  if (!isSameToken(url.searchParams.get(tokenParameter) ?? '', rules.token)) {
    return { allowed: false, status: 401, reason: 'the token is missing or wrong' };
  }
  return { allowed: true };
}

/** In constant time, whatever the lengths. */
export function isSameToken(given: string, expected: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(expected));
}
