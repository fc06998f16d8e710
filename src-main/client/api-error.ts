import type { Status } from '../api';
import { PilothouseError } from '../kit';

/** A Status answered by the API server, as an error. Branch on `reason` or `status.code`, never on the message. */
export class ApiError extends PilothouseError {
  constructor(readonly status: Status) {
    super({
      code: 'API_STATUS',
      message: status.message ?? status.reason ?? 'unknown API error',
      retryable: (status.code ?? 500) >= 500 || status.code === 429,
    });
  }

  get reason(): string {
    return this.status.reason ?? 'Unknown';
  }

  get statusCode(): number {
    return this.status.code ?? 500;
  }

  /** Whether `error` is an ApiError of this reason: NotFound, AlreadyExists, Conflict, Expired, Gone, Invalid… */
  static is(error: unknown, reason: string): error is ApiError {
    return error instanceof ApiError && error.reason === reason;
  }
}
