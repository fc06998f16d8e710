// Answers a range request from the key index. Values are fetched last and only for the key-values that are answered;
// a read at the latest revision never looks at history.

import { type KeyEntry, type KeyIndex, liveAt, type Version } from './key-index';
import type { KeyValue, RangeRequest, RangeResponse, SortTarget } from './store';

export interface RangeSource {
  index: KeyIndex;
  /** The value of a version, from memory or disk. Answered buffers are shared: nobody may write into them. */
  valueOf(version: Version): Buffer;
}

const noBytes = Buffer.alloc(0);

interface Hit {
  entry: KeyEntry;
  version: Version;
}

export function toKeyValue(entry: KeyEntry, version: Version, value: Buffer): KeyValue {
  return {
    key: entry.key,
    value,
    createRevision: version.create,
    modRevision: version.main,
    version: version.version,
    lease: version.lease,
  };
}

/** `at` is the revision read at, `revision` the store's revision to answer. Both were checked by the caller. */
export function readRange(
  source: RangeSource,
  request: RangeRequest,
  revisions: { at: number; revision: number },
): RangeResponse {
  const { limit = 0, countOnly, keysOnly } = request;
  const filter = filterOf(request);
  const keepAll = Boolean(request.sort) || filter !== undefined;
  const hits: Hit[] = [];
  let count = 0;
  source.index.visit(request.key, request.rangeEnd, (entry) => {
    const version = liveAt(entry, revisions.at);
    if (!version) return;
    count++;
    // One more than the limit, to know whether there is more.
    if (countOnly || (!keepAll && limit > 0 && hits.length > limit)) return;
    if (!filter || filter(version)) hits.push({ entry, version });
  });
  if (request.sort) sortHits(hits, request.sort, source);
  const more = limit > 0 && hits.length > limit;
  if (more) hits.length = limit;
  const kvs = hits.map(({ entry, version }) =>
    toKeyValue(entry, version, keysOnly ? noBytes : source.valueOf(version)),
  );
  return { revision: revisions.revision, kvs, more, count };
}

function filterOf(request: RangeRequest): ((version: Version) => boolean) | undefined {
  const { minModRevision = 0, maxModRevision = 0, minCreateRevision = 0, maxCreateRevision = 0 } = request;
  if (!minModRevision && !maxModRevision && !minCreateRevision && !maxCreateRevision) return undefined;
  return (version) =>
    version.main >= minModRevision &&
    version.create >= minCreateRevision &&
    (!maxModRevision || version.main <= maxModRevision) &&
    (!maxCreateRevision || version.create <= maxCreateRevision);
}

function sortHits(hits: Hit[], sort: { target: SortTarget; order: 'ascend' | 'descend' }, source: RangeSource): void {
  const sign = sort.order === 'ascend' ? 1 : -1;
  hits.sort((a, b) => sign * compareHits(a, b, sort.target, source));
}

function compareHits(a: Hit, b: Hit, target: SortTarget, source: RangeSource): number {
  switch (target) {
    case 'key':
      return a.entry.key < b.entry.key ? -1 : a.entry.key > b.entry.key ? 1 : 0;
    case 'version':
      return a.version.version - b.version.version;
    case 'create':
      return a.version.create - b.version.create;
    case 'mod':
      return a.version.main - b.version.main;
    case 'value':
      return Buffer.compare(source.valueOf(a.version), source.valueOf(b.version));
  }
}
