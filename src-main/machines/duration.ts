// Lengths of time as a person says them, and deadlines whose failure is a sentence.

import { type Clock, PilothouseError, withDeadline } from '../kit';

/** "500 ms", "45 s", "3 minutes", "1 minute 30 s", "1 hour". */
export function duration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  const [minutes, rest] = [Math.floor(seconds / 60), seconds % 60];
  if (minutes < 60) return rest === 0 ? plural(minutes, 'minute') : `${plural(minutes, 'minute')} ${rest} s`;
  const hours = Math.floor(minutes / 60);
  return minutes % 60 === 0 ? plural(hours, 'hour') : `${plural(hours, 'hour')} ${plural(minutes % 60, 'minute')}`;
}

function plural(count: number, word: string): string {
  return count === 1 ? `1 ${word}` : `${count} ${word}s`;
}

export interface TimeLimit {
  ms: number;
  /** What was not so in time, without the time: "dev-2 was not Ready". */
  late: string;
  hint?: string;
  clock?: Clock;
}

/** As `withDeadline`; the error DEADLINE_EXCEEDED reads "dev-2 was not Ready within 3 minutes". */
export async function within<T>(limit: TimeLimit, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  let expired: AbortSignal | undefined;
  try {
    return await withDeadline({ ms: limit.ms, what: limit.late, hint: limit.hint, clock: limit.clock }, (signal) => {
      expired = signal;
      return work(signal);
    });
  } catch (error) {
    // An earlier, inner deadline has said itself what was late.
    if (error !== expired?.reason) throw error;
    throw new PilothouseError({
      code: 'DEADLINE_EXCEEDED',
      message: `${limit.late} within ${duration(limit.ms)}`,
      hint: limit.hint,
      cause: error,
      retryable: true,
    });
  }
}
