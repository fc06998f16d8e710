// The watches of the fake API: a history of changes, and who is told of them.

import {
  matchesFields,
  matchesLabels,
  parseFieldSelector,
  parseLabelSelector,
  type KubeObject,
  type WatchEvent,
} from '../api';
import { ApiError, type ListOptions } from '../client';
import { AsyncQueue } from '../kit';

interface Change {
  type: 'ADDED' | 'MODIFIED' | 'DELETED';
  object: KubeObject;
  old: KubeObject | undefined;
  version: number;
}

interface Watcher {
  table: string;
  selected: (object: KubeObject) => boolean;
  queue: AsyncQueue<WatchEvent>;
}

interface HubWatchOptions extends ListOptions {
  initial?: readonly KubeObject[];
  version: number;
  allowBookmarks?: boolean;
  signal: AbortSignal;
}

/** A predicate of namespace, label selector and field selector. */
export function selectionOf(options: ListOptions): (object: KubeObject) => boolean {
  const labels = parseLabelSelector(options.labelSelector ?? '');
  const fields = parseFieldSelector(options.fieldSelector ?? '');
  return (object) =>
    (!options.namespace || object.metadata.namespace === options.namespace) &&
    matchesLabels(labels, object.metadata.labels) &&
    matchesFields(fields, (field) => valueAt(object, field));
}

function valueAt(object: KubeObject, path: string): string {
  let value: unknown = object;
  for (const part of path.split('.')) value = (value as Record<string, unknown> | undefined)?.[part];
  return value === undefined || value === null ? '' : String(value);
}

export class FakeWatchHub {
  private history: (Change & { table: string })[] = [];
  private compacted = 0;
  private readonly watchers = new Set<Watcher>();

  publish(table: string, change: Change): void {
    this.history.push({ ...change, table });
    for (const watcher of this.watchers) if (watcher.table === table) deliver(watcher, change);
  }

  compact(version: number): void {
    this.history = [];
    this.compacted = version;
  }

  endAll(error?: unknown): void {
    for (const { queue } of this.watchers) {
      if (error === undefined) queue.end();
      else queue.fail(error);
    }
  }

  async *watch(table: string, options: HubWatchOptions): AsyncGenerator<WatchEvent> {
    const { initial, signal } = options;
    if (signal.aborted) return;
    const from = initial ? options.version : Number(options.resourceVersion);
    if (from < this.compacted) {
      const message = `too old resource version: ${from} (${this.compacted})`;
      const error = { status: 'Failure', code: 410, reason: 'Expired', message } as const;
      throw new ApiError({ kind: 'Status', apiVersion: 'v1', metadata: {}, ...error });
    }
    const watcher: Watcher = { table, selected: selectionOf(options), queue: new AsyncQueue() };
    for (const object of initial ?? []) {
      if (watcher.selected(object)) watcher.queue.push({ type: 'ADDED', object });
    }
    for (const change of this.history) {
      if (change.table === table && change.version > from) deliver(watcher, change);
    }
    if (options.allowBookmarks) {
      const object = { metadata: { resourceVersion: String(options.version) } };
      watcher.queue.push({ type: 'BOOKMARK', object });
    }
    this.watchers.add(watcher);
    const abort = () => watcher.queue.end();
    signal.addEventListener('abort', abort, { once: true });
    try {
      for await (const event of watcher.queue) yield event;
    } finally {
      this.watchers.delete(watcher);
      signal.removeEventListener('abort', abort);
    }
  }
}

/** A change as one watcher sees it: what starts or stops matching its selection comes or goes. */
function deliver({ selected, queue }: Watcher, { type, object, old }: Change): void {
  const now = type !== 'DELETED' && selected(object);
  const before = old !== undefined && selected(old);
  if (now) queue.push({ type: before ? 'MODIFIED' : 'ADDED', object });
  else if (before) queue.push({ type: 'DELETED', object });
}
