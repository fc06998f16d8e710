// Reads of one kind: get and list, from the cache when it can answer, from the store for older revisions.

import type { Kind } from '../../api';
import { PilothouseError } from '../../kit';
import { prefixEnd, type Store } from '../../store';
import type { CacheHub } from '../watch-cache/cache-hub';
import type { WatchCache } from '../watch-cache/watch-cache';
import { expired, notFound } from '../status/errors';
import type { Codec, Entry } from './codec';
import { objectKey } from './keys';
import { type ContinueToken, continueExpired, decodeContinue, encodeContinue } from './pagination';
import { parseResourceVersion, validateListVersion } from './resource-version';
import type { Selection } from './selection';

export interface ReaderOptions {
  kind: Kind;
  store: Store;
  hub: CacheHub;
  cache: WatchCache;
  codec: Codec;
}

export interface ListQuery {
  namespace: string;
  selection: Selection;
  limit?: number | undefined;
  continue?: string | undefined;
  resourceVersion?: string | undefined;
  resourceVersionMatch?: string | undefined;
}

export interface ListAnswer {
  entries: readonly Entry[];
  revision: number;
  continue?: string;
  remaining?: number;
}

const storePage = 500;

export class Reader {
  constructor(private readonly options: ReaderOptions) {}

  key(namespace: string, name: string): string {
    return objectKey(this.options.cache.prefix, namespace, name);
  }

  /** The newest version, or one at least as new as `resourceVersion`; 404. */
  async get(namespace: string, name: string, resourceVersion?: string): Promise<Entry> {
    const { hub, cache, kind } = this.options;
    const wanted = parseResourceVersion(resourceVersion);
    const pending = wanted === undefined ? hub.caughtUp() : hub.reached(wanted);
    if (pending) await pending;
    const entry = cache.get(this.key(namespace, name));
    if (!entry) throw notFound(kind, name);
    return entry;
  }

  async list(query: ListQuery): Promise<ListAnswer> {
    validateListVersion(query);
    const { hub, cache } = this.options;
    const wanted = parseResourceVersion(query.resourceVersion);
    if (query.continue) {
      const token = decodeContinue(query.continue);
      // The token speaks for its own revision; nothing changed since means that the cache is still at it.
      const pending = hub.reached(token.revision);
      if (pending) await pending;
      return cache.lastChange <= token.revision ? this.fromCache(query, token) : this.fromStore(query, token);
    }
    const exact = query.resourceVersionMatch === 'Exact' || (!query.resourceVersionMatch && !!wanted && !!query.limit);
    const pending = wanted === undefined ? hub.caughtUp() : hub.reached(wanted);
    if (pending) await pending;
    if (exact && wanted && cache.lastChange > wanted) return this.fromStore(query, { revision: wanted, after: '' });
    return this.fromCache(query, { revision: exact && wanted ? wanted : hub.revision, after: '' });
  }

  private rangePrefix(query: ListQuery): string {
    const { prefix } = this.options.cache;
    const namespace = query.namespace || query.selection.namespace || '';
    return namespace && this.options.kind.namespaced ? `${prefix}${namespace}/` : prefix;
  }

  private fromCache(query: ListQuery, token: ContinueToken): ListAnswer {
    const { cache } = this.options;
    const { selection } = query;
    if (selection.name !== undefined && query.namespace) return this.single(query, selection.name, token.revision);
    const prefix = this.rangePrefix(query);
    const range = cache.list({ prefix, ...(token.after ? { after: cache.prefix + token.after } : {}) });
    const entries = selection.everything ? range : range.filter((entry) => selection.matches(entry.object));
    const { limit } = query;
    if (!limit || entries.length <= limit) return { entries, revision: token.revision };
    const page = entries.slice(0, limit);
    return {
      entries: page,
      revision: token.revision,
      continue: this.token(page.at(-1)!, token.revision),
      ...(selection.everything ? { remaining: entries.length - limit } : {}),
    };
  }

  private single(query: ListQuery, name: string, revision: number): ListAnswer {
    const entry = this.options.cache.get(this.key(query.namespace, name));
    return { entries: entry && query.selection.matches(entry.object) ? [entry] : [], revision };
  }

  private async fromStore(query: ListQuery, token: ContinueToken): Promise<ListAnswer> {
    const { store, cache, codec } = this.options;
    const prefix = this.rangePrefix(query);
    const limit = query.limit || Number.POSITIVE_INFINITY;
    const entries: Entry[] = [];
    let key = token.after ? `${cache.prefix}${token.after}\0` : prefix;
    for (;;) {
      const page = await this.read(
        store.range({ key, rangeEnd: prefixEnd(prefix), revision: token.revision, limit: storePage }),
        !!query.continue,
      );
      for (const [index, kv] of page.kvs.entries()) {
        const entry = codec.entry({ key: kv.key, value: kv.value, revision: kv.modRevision });
        if (!query.selection.matches(entry.object)) continue;
        if (entries.length >= limit) {
          const rest = page.count - index;
          return {
            entries,
            revision: token.revision,
            continue: this.token(entries.at(-1)!, token.revision),
            ...(query.selection.everything ? { remaining: rest } : {}),
          };
        }
        entries.push(entry);
      }
      if (!page.more || page.kvs.length === 0) return { entries, revision: token.revision };
      key = `${page.kvs.at(-1)!.key}\0`;
    }
  }

  private async read<T>(range: Promise<T>, continued: boolean): Promise<T> {
    try {
      return await range;
    } catch (error) {
      if (!(error instanceof PilothouseError) || error.code !== 'COMPACTED') throw error;
      throw expired(continued ? continueExpired : 'The resourceVersion for the provided list is too old.');
    }
  }

  private token(last: Entry, revision: number): string {
    return encodeContinue({ revision, after: last.key.slice(this.options.cache.prefix.length) });
  }
}
