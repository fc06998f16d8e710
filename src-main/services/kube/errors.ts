// The API server's Status as the RPC tells it: one place where the one catalogue is translated into the other.

import { ApiError } from '../../client';
import { PilothouseError } from '../../kit';

const codes: Readonly<Record<string, string>> = {
  NotFound: 'NOT_FOUND',
  AlreadyExists: 'ALREADY_EXISTS',
  Conflict: 'CONFLICT',
  Invalid: 'INVALID',
  BadRequest: 'BAD_REQUEST',
  Forbidden: 'FORBIDDEN',
  Unauthorized: 'UNAUTHORIZED',
  Expired: 'EXPIRED',
  Gone: 'EXPIRED',
  TooManyRequests: 'TOO_MANY_REQUESTS',
};

/** `details.causes` carries field paths and messages of an Invalid object; `details.reason` the Status reason. */
export function toRpcError(error: unknown): unknown {
  if (!(error instanceof ApiError)) return error;
  return new PilothouseError({
    code: codes[error.reason] ?? 'API_STATUS',
    message: error.message,
    cause: error,
    details: {
      reason: error.reason,
      status: error.statusCode,
      causes: error.status.details?.causes ?? [],
    },
    retryable: error.retryable,
  });
}

/** Whether a list or watch cannot go on from where it was: a new list is needed. */
export function isExpired(error: unknown): boolean {
  return error instanceof ApiError && (error.statusCode === 410 || error.reason === 'Expired');
}

/** Whether the API server answered and refused for good: asking again will not help. */
export function isRefusal(error: unknown): boolean {
  return error instanceof ApiError && error.statusCode < 500 && error.statusCode !== 429 && !isExpired(error);
}
