// One watch of the window: the whole list, then what changes, in batches. It lives through outages of the API server:
// it says `stale`, tries again with backoff, resumes from the last resourceVersion, and lists anew when that is too old
// (410). It ends only by its signal, or throws when the API server refuses (no such kind, forbidden).

import type { KubeObject, WatchEvent } from '../../api';
import type { Client } from '../../client';
import type { WatchMessage, WatchRequest } from '../../contract';
import { AsyncQueue, Backoff, type Clock, messageOf, sleep, systemClock } from '../../kit';
import { isExpired, isRefusal, toRpcError } from './errors';

export interface WatchStreamOptions {
  client: Client;
  request: Omit<WatchRequest, 'cluster'>;
  signal: AbortSignal;
  clock?: Clock;
  /** Events closer together than this are told in one message. */
  batchMs?: number;
  retry?: { baseMs: number; maxMs: number };
}

/** The server ends a watch after this long; it is then resumed without anyone noticing. */
const watchSeconds = 300;

export async function* watchStream(options: WatchStreamOptions): AsyncGenerator<WatchMessage> {
  const { client, request, signal, clock = systemClock } = options;
  const { resource, namespace, labelSelector, fieldSelector } = request;
  const selection = { namespace, labelSelector, fieldSelector };
  const backoff = new Backoff<string>(options.retry ?? { baseMs: 200, maxMs: 5_000 });
  let resourceVersion = request.resourceVersion;
  let isStale = false;
  while (!signal.aborted) {
    try {
      if (resourceVersion === undefined) {
        const list = await client.list(resource, selection);
        if (signal.aborted) return;
        resourceVersion = list.metadata.resourceVersion ?? '0';
        yield { type: 'snapshot', list };
        isStale = false;
      } else if (isStale) {
        // Coming back from an outage: an empty batch says that what is shown is current again.
        await client.list(resource, { ...selection, limit: 1 });
        yield { type: 'events', events: [], resourceVersion };
        isStale = false;
      }
      if (signal.aborted) return;
      const watch = client.watch(resource, {
        ...selection,
        resourceVersion,
        allowBookmarks: true,
        timeoutSeconds: watchSeconds,
        signal,
      });
      for await (const events of batched(watch, { clock, batchMs: options.batchMs ?? 50 })) {
        backoff.forget('watch');
        resourceVersion = events.at(-1)?.object.metadata.resourceVersion ?? resourceVersion;
        const changes = events.filter((event) => event.type !== 'BOOKMARK');
        if (changes.length > 0) yield { type: 'events', events: changes, resourceVersion };
      }
      // The server ended the watch without an error. A short pause keeps a server that does so at once from being hammered.
      await pause(Math.min(backoff.next('watch'), 1_000));
    } catch (error) {
      if (signal.aborted) return;
      if (isRefusal(error)) throw toRpcError(error);
      if (isExpired(error)) {
        resourceVersion = undefined;
      } else if (!isStale) {
        isStale = true;
        yield { type: 'stale', reason: messageOf(error) };
      }
      await pause(backoff.next('watch'));
    }
  }

  async function pause(ms: number): Promise<void> {
    await sleep(ms, { signal, clock }).catch((reason: unknown) => {
      // Aborted: the loop sees it and ends.
      if (!signal.aborted) throw reason;
    });
  }
}

/** Groups what arrives within `batchMs` of the first. What was read before a failure is told before it. */
async function* batched(
  source: AsyncIterable<WatchEvent<KubeObject>>,
  options: { clock: Clock; batchMs: number },
): AsyncGenerator<WatchEvent<KubeObject>[]> {
  const queue = new AsyncQueue<WatchEvent<KubeObject>[]>();
  let pending: WatchEvent<KubeObject>[] = [];
  let cancel: (() => void) | undefined;
  const flush = () => {
    cancel?.();
    cancel = undefined;
    if (pending.length > 0) queue.push(pending);
    pending = [];
  };
  const iterator = source[Symbol.asyncIterator]();
  const read = async () => {
    try {
      for (let next = await iterator.next(); !next.done; next = await iterator.next()) {
        pending.push(next.value);
        cancel ??= options.clock.after(options.batchMs, flush);
      }
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
