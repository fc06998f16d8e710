// Authentication: a client certificate of our CA (common name = user, organizations = groups) or a bearer token from
// the static list. A request with neither is anonymous; one with a bad credential is refused, never anonymous.

import type { IncomingMessage } from 'node:http';
import { createHash, timingSafeEqual } from 'node:crypto';
import type { PeerCertificate, TLSSocket } from 'node:tls';
import { unauthorized } from '../status/errors';
import { anonymousUser, authenticated, type User } from './user';

export interface StaticToken {
  token: string;
  user: string;
  uid?: string;
  groups: string[];
}

const digest = (token: string): Buffer => createHash('sha256').update(token).digest();

export class Authenticator {
  private readonly tokens: { digest: Buffer; user: User }[];
  /** A connection's certificate never changes, and reading it is dear: once a socket. */
  private readonly certificateUsers = new WeakMap<object, User | 'none' | 'bad'>();

  constructor(tokens: readonly StaticToken[]) {
    this.tokens = tokens.map(({ token, user, uid, groups }) => ({
      digest: digest(token),
      user: authenticated({ name: user, groups, ...(uid ? { uid } : {}) }),
    }));
  }

  /** The user of a request; throws a 401 ApiError when a credential was given and is not valid. */
  authenticate(request: IncomingMessage): User {
    const fromCertificate = this.certificateUser(request.socket as TLSSocket);
    if (fromCertificate === 'bad') throw unauthorized();
    if (fromCertificate !== 'none') return fromCertificate;
    const header = request.headers.authorization;
    if (header === undefined) return anonymousUser;
    const match = /^Bearer\s+(\S+)\s*$/i.exec(header);
    const user = match ? this.tokenUser(match[1]!) : undefined;
    if (!user) throw unauthorized();
    return user;
  }

  private tokenUser(token: string): User | undefined {
    const wanted = digest(token);
    let found: User | undefined;
    for (const entry of this.tokens) {
      if (timingSafeEqual(entry.digest, wanted)) found = entry.user;
    }
    return found;
  }

  private certificateUser(socket: TLSSocket): User | 'none' | 'bad' {
    let user = this.certificateUsers.get(socket);
    if (user === undefined) {
      user = userOfCertificate(socket.getPeerCertificate(), socket.authorized);
      this.certificateUsers.set(socket, user);
    }
    return user;
  }
}

function list(value: string | string[] | undefined): string[] {
  if (value === undefined) return [];
  return Array.isArray(value) ? value : [value];
}

function userOfCertificate(certificate: PeerCertificate, authorized: boolean): User | 'none' | 'bad' {
  if (!certificate?.subject) return 'none';
  const subject = certificate.subject as unknown as Record<string, string | string[] | undefined>;
  const name = list(subject.CN)[0];
  if (!authorized || !name) return 'bad';
  return authenticated({ name, groups: list(subject.O) });
}
