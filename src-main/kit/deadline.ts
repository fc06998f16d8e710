// Every wait has a deadline.

import { type Clock, systemClock } from './clock';
import { PilothouseError } from './error';

export interface DeadlineOptions {
  ms: number;
  /** What is being waited for, for the error: "SSH banner of node-1". */
  what: string;
  hint?: string;
  clock?: Clock;
}

/** Settles as `work` does, or rejects with `DEADLINE_EXCEEDED`. The signal given to `work` aborts at the deadline. */
export async function withDeadline<T>(options: DeadlineOptions, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  let cancel = () => {};
  const expired = new Promise<never>((_, reject) => {
    cancel = (options.clock ?? systemClock).after(options.ms, () => {
      const error = new PilothouseError({
        code: 'DEADLINE_EXCEEDED',
        message: `${options.what}: nothing within ${options.ms} ms`,
        hint: options.hint,
        retryable: true,
      });
      reject(error);
      controller.abort(error);
    });
  });
  try {
    return await Promise.race([work(controller.signal), expired]);
  } finally {
    cancel();
  }
}
