// One watch of one kind: the state first when asked for, then every change, seen through the watch's selection. A
// change that brings an object into the selection is ADDED to this watch, one that takes it out is DELETED.

import type { Kind } from '../../api';
import type { ApiError } from '../../client';
import { expired } from '../status/errors';
import type { CacheHub } from '../watch-cache/cache-hub';
import type { CacheEvent, WatchCache } from '../watch-cache/watch-cache';
import type { Codec, Entry } from './codec';
import { parseResourceVersion, validateWatchVersion } from './resource-version';
import type { Selection } from './selection';

export type WatchedType = 'ADDED' | 'MODIFIED' | 'DELETED';

export interface WatchSink {
  onEvent(type: WatchedType, entry: Entry): void;
  /** The watch has seen all up to `revision`; `initial` = this ends the initial events. */
  onBookmark(revision: number, initial: boolean): void;
  /** The last word; without an error the watch just ended. */
  onEnd(error: ApiError | undefined): void;
}

export interface WatchQuery {
  namespace: string;
  selection: Selection;
  resourceVersion?: string | undefined;
  resourceVersionMatch?: string | undefined;
  sendInitialEvents?: boolean | undefined;
  allowBookmarks?: boolean | undefined;
}

export interface WatcherParts {
  kind: Kind;
  hub: CacheHub;
  cache: WatchCache;
  codec: Codec;
}

export interface RunningWatch {
  /** Sends a bookmark when the watch allows them. */
  bookmark(): void;
  stop(): void;
}

/**
 * Starts a watch; the sink is called in order, from within the call for what is there already. Throws 410 when the
 * version is too old and 422 for parameters that do not go together.
 */
export async function startWatch(parts: WatcherParts, query: WatchQuery, sink: WatchSink): Promise<RunningWatch> {
  validateWatchVersion(query);
  const { hub, cache, codec } = parts;
  const wanted = parseResourceVersion(query.resourceVersion);
  const fresh = wanted === undefined || wanted === 0;
  const initial = query.sendInitialEvents ?? fresh;
  const pending = wanted === undefined ? hub.caughtUp() : hub.reached(wanted);
  if (pending) await pending;

  const { selection } = query;
  const prefix = prefixOf(parts, query);
  const deliver = (event: CacheEvent): void => {
    if (!event.entry.key.startsWith(prefix)) return;
    if (selection.everything) {
      sink.onEvent(event.type, event.entry);
      return;
    }
    const was = event.previous !== undefined && selection.matches(event.previous.object);
    if (event.type === 'DELETED') {
      if (was) sink.onEvent('DELETED', event.entry);
      return;
    }
    const is = selection.matches(event.entry.object);
    if (is) sink.onEvent(was ? 'MODIFIED' : 'ADDED', event.entry);
    // What leaves the selection is shown as it last was inside.
    else if (was) sink.onEvent('DELETED', codec.atRevision(event.previous!, event.revision));
  };

  // From here on nothing waits, so no change can slip between the state and the listening.
  if (initial) {
    for (const entry of cache.list({ prefix })) if (selection.matches(entry.object)) sink.onEvent('ADDED', entry);
    if (query.sendInitialEvents && query.allowBookmarks) sink.onBookmark(hub.revision, true);
  } else if (wanted) {
    for (const event of cache.since(wanted)) deliver(event);
  }
  const stop = cache.listen({
    onEvent: deliver,
    onReset: () => sink.onEnd(expired('the watch was reset: list again')),
  });
  return {
    bookmark: () => {
      if (query.allowBookmarks) sink.onBookmark(hub.revision, false);
    },
    stop,
  };
}

function prefixOf({ kind, cache }: WatcherParts, query: WatchQuery): string {
  const namespace = query.namespace || query.selection.namespace || '';
  const prefix = namespace && kind.namespaced ? `${cache.prefix}${namespace}/` : cache.prefix;
  return prefix;
}
