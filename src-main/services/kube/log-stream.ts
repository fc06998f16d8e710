// The log of a container as chunks of whole lines: a window that draws per line must never see half of one, nor be
// called once per line.

import { AsyncQueue, type Clock, systemClock } from '../../kit';

export interface LogStreamOptions {
  clock?: Clock;
  chunkMs?: number;
  /** A line longer than this many characters is told in parts. */
  maxLine?: number;
}

export async function* wholeLines(
  source: AsyncIterable<Buffer>,
  options: LogStreamOptions = {},
): AsyncGenerator<{ lines: string[] }> {
  const { clock = systemClock, chunkMs = 50, maxLine = 64 * 1024 } = options;
  const queue = new AsyncQueue<{ lines: string[] }>();
  const decoder = new TextDecoder();
  let rest = '';
  let lines: string[] = [];
  let cancel: (() => void) | undefined;
  const flush = () => {
    cancel?.();
    cancel = undefined;
    if (lines.length > 0) queue.push({ lines });
    lines = [];
  };
  const take = (text: string) => {
    const parts = (rest + text).split('\n');
    rest = parts.pop() ?? '';
    lines.push(...parts);
    while (rest.length > maxLine) {
      lines.push(rest.slice(0, maxLine));
      rest = rest.slice(maxLine);
    }
    if (lines.length > 0) cancel ??= clock.after(chunkMs, flush);
  };
  const iterator = source[Symbol.asyncIterator]();
  const read = async () => {
    try {
      for (let next = await iterator.next(); !next.done; next = await iterator.next()) {
        take(decoder.decode(next.value, { stream: true }));
      }
      take(decoder.decode());
      if (rest !== '') lines.push(rest);
      flush();
      queue.end();
    } catch (error) {
      flush();
      queue.fail(error);
    }
  };
  void read();
  try {
    yield* queue;
  } finally {
    cancel?.();
    await iterator.return?.();
  }
}
