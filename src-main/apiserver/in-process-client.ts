// The client for controllers and scheduler beside the API server: the verbs themselves, with cached frozen objects in
// place of bytes. Objects that are handed in are copied, as they may be anyone's.

import type { KubeList, KubeObject, WatchEvent } from '../api';
import {
  type ApiError,
  type Client,
  type DeleteOptions,
  type ListOptions,
  type ObjectName,
  type PatchType,
  type Resource,
  type WatchOptions,
  type WriteOptions,
} from '../client';
import { AsyncQueue, type Clock, systemClock } from '../kit';
import { authenticated, type User } from './authn/user';
import type { Call } from './registry/call';
import { apiVersionOf, type Entry } from './registry/codec';
import type { Target, Verbs } from './registry/verbs';
import type { RunningWatch, WatchedType } from './registry/watcher';
import { toApiError } from './status/errors';

const watchCapacity = 100_000;

export class InProcessClient implements Client {
  private readonly user: User;

  constructor(
    private readonly verbs: Verbs,
    private readonly options: { user: User; stopping: AbortSignal; clock?: Clock },
  ) {
    this.user = authenticated(options.user);
  }

  async get<T extends KubeObject>(resource: Resource, name: ObjectName, subresource?: string): Promise<T> {
    const answer = await this.run(() => this.verbs.get(targetOf(resource, name, subresource), { call: this.call() }));
    return answer.object as T;
  }

  async list<T extends KubeObject>(resource: Resource, options: ListOptions = {}): Promise<KubeList<T>> {
    const target = targetOf(resource, { namespace: options.namespace, name: '' });
    const answer = await this.run(() => this.verbs.list(target, { call: this.call(), query: options }));
    const metadata: KubeList['metadata'] = { resourceVersion: String(answer.revision) };
    if (answer.continue) metadata.continue = answer.continue;
    if (answer.remaining !== undefined) metadata.remainingItemCount = answer.remaining;
    return {
      apiVersion: apiVersionOf(answer.kind),
      kind: answer.kind.listKind,
      metadata,
      items: answer.entries.map((entry) => entry.object as T),
    };
  }

  async *watch<T extends KubeObject>(resource: Resource, options: WatchOptions): AsyncIterable<WatchEvent<T>> {
    const { signal, timeoutSeconds } = options;
    const { stopping, clock = systemClock } = this.options;
    const queue = new AsyncQueue<WatchEvent<T>>({ capacity: watchCapacity });
    const target = targetOf(resource, { namespace: options.namespace, name: '' });
    const push = (event: WatchEvent<T>): void => {
      if (!queue.push(event)) queue.end();
    };
    const sink = {
      onEvent: (type: WatchedType, entry: Entry) => push({ type, object: entry.object as T }),
      onBookmark: (revision: number) => {
        const metadata = { resourceVersion: String(revision) };
        push({ type: 'BOOKMARK', object: { kind: '', apiVersion: '', metadata } as KubeObject as T });
      },
      onEnd: (error: ApiError | undefined) => (error ? queue.fail(error) : queue.end()),
    };
    const end = () => queue.end();
    let running: RunningWatch | undefined;
    let cancel = () => {};
    signal.addEventListener('abort', end, { once: true });
    stopping.addEventListener('abort', end, { once: true });
    try {
      if (signal.aborted || stopping.aborted) return;
      running = await this.run(() => this.verbs.watch(target, { call: this.call(), query: options }, sink));
      if (timeoutSeconds) cancel = clock.after(timeoutSeconds * 1000, end);
      for await (const event of queue) yield event;
    } finally {
      cancel();
      running?.stop();
      signal.removeEventListener('abort', end);
      stopping.removeEventListener('abort', end);
    }
  }

  async create<T extends KubeObject>(
    resource: Resource,
    object: T,
    options: WriteOptions & { namespace?: string; name?: string } = {},
  ): Promise<T> {
    const namespace = options.namespace ?? object.metadata?.namespace;
    const name = options.subresource ? (options.name ?? object.metadata?.name ?? '') : '';
    const target = targetOf(resource, { namespace, name }, options.subresource);
    const body: unknown = structuredClone(object);
    const answer = await this.run(() => this.verbs.create(target, { call: this.call(options), body, lenient: true }));
    return answer.object as T;
  }

  async update<T extends KubeObject>(resource: Resource, object: T, options: WriteOptions = {}): Promise<T> {
    const { namespace, name = '' } = object.metadata;
    const target = targetOf(resource, { namespace, name }, options.subresource);
    const change = { type: 'replace', body: object } as const;
    const answer = await this.run(() =>
      this.verbs.write('update', target, { call: this.call(options), change, lenient: true }),
    );
    return answer.object as T;
  }

  async patch<T extends KubeObject>(
    resource: Resource,
    name: ObjectName,
    patch: { type: PatchType; body: unknown } & WriteOptions,
  ): Promise<T> {
    const target = targetOf(resource, name, patch.subresource);
    const change = { type: 'patch', patch: { type: patch.type, body: patch.body } } as const;
    const answer = await this.run(() => this.verbs.write('patch', target, { call: this.call(patch), change }));
    return answer.object as T;
  }

  async delete(resource: Resource, name: ObjectName, options: DeleteOptions = {}): Promise<void> {
    await this.run(() => this.verbs.delete(targetOf(resource, name), { call: this.call(), deletion: options }));
  }

  private call(options: WriteOptions = {}): Call {
    return { user: this.user, dryRun: options.dryRun ?? false, fieldValidation: 'Ignore' };
  }

  /** Everything that goes wrong is an ApiError, as over HTTPS. */
  private async run<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw toApiError(error);
    }
  }
}

function targetOf(
  resource: Resource,
  name: { namespace?: string | undefined; name: string },
  subresource = '',
): Target {
  const { group, version, plural } = resource;
  return { group, version, resource: plural, namespace: name.namespace ?? '', name: name.name, subresource };
}
