// etcd's simple tokens: random, known only to this process, good for five minutes after each use. Whoever shows one that
// was forgotten (a restart does that) is told so, and etcd's clients then ask for another.

import { randomBytes } from 'node:crypto';
import type { Clock } from '../../kit';

const lifeMs = 5 * 60_000;

interface Token {
  user: string;
  expiresAt: number;
}

export class Tokens {
  private readonly tokens = new Map<string, Token>();
  private given = 0;

  constructor(private readonly clock: Clock) {}

  give(user: string): string {
    this.dropExpired();
    const token = `${randomBytes(12).toString('base64url')}.${++this.given}`;
    this.tokens.set(token, { user, expiresAt: this.clock.now() + lifeMs });
    return token;
  }

  /** Whose token it is; using it keeps it good. */
  userOf(token: string): string | undefined {
    const known = this.tokens.get(token);
    const now = this.clock.now();
    if (!known || known.expiresAt <= now) return undefined;
    known.expiresAt = now + lifeMs;
    return known.user;
  }

  forgetUser(user: string): void {
    for (const [token, known] of this.tokens) if (known.user === user) this.tokens.delete(token);
  }

  clear(): void {
    this.tokens.clear();
  }

  private dropExpired(): void {
    const now = this.clock.now();
    for (const [token, { expiresAt }] of this.tokens) if (expiresAt <= now) this.tokens.delete(token);
  }
}
