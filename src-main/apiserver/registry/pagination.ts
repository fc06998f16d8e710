// Continue tokens: which revision a list is at and after which key it goes on. Opaque to clients.

import { badRequest } from '../status/errors';

export interface ContinueToken {
  revision: number;
  /** The last key answered, relative to the kind's prefix. */
  after: string;
}

export const continueExpired =
  'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter.';

export function encodeContinue(token: ContinueToken): string {
  const json = JSON.stringify({ v: 'pilothouse/v1', rv: token.revision, after: token.after });
  return Buffer.from(json, 'utf8').toString('base64url');
}

export function decodeContinue(text: string): ContinueToken {
  const invalid = () => badRequest('continue key is not valid: the token was not issued by this server');
  let parsed: unknown;
  try {
    parsed = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'));
  } catch {
    throw invalid();
  }
  const { v, rv, after } = (parsed ?? {}) as { v?: unknown; rv?: unknown; after?: unknown };
  if (v !== 'pilothouse/v1' || typeof rv !== 'number' || !Number.isSafeInteger(rv) || typeof after !== 'string') {
    throw invalid();
  }
  return { revision: rv, after };
}
