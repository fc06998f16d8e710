// An API server in memory behind the Client interface, for tests of controllers, scheduler and agents. It knows what
// all kinds share (names, versions, conflicts, generation, finalizers, graceful Pod deletion, status kept apart, watch)
// and nothing of any kind's own defaulting or validation. It passes the same contract suite as the real clients.

import {
  applyJsonPatch,
  applyMergePatch,
  formatTime,
  jsonEqual,
  type Binding,
  type KubeList,
  type KubeObject,
  type Namespace,
  type Pod,
  type Status,
  type WatchEvent,
} from '../api';
import {
  ApiError,
  type Client,
  deepFreeze,
  type DeleteOptions,
  type ListOptions,
  type ObjectName,
  type PatchType,
  type Resource,
  type WatchOptions,
  type WriteOptions,
} from '../client';
import { type Clock, systemClock } from '../kit';
import { FakeWatchHub, selectionOf } from './fake-watch-hub';

type Draft = KubeObject & { spec?: unknown; status?: unknown };

export interface FakeCall {
  verb: 'get' | 'list' | 'watch' | 'create' | 'update' | 'patch' | 'delete';
  resource: Resource;
  name?: ObjectName;
  subresource?: string;
  body?: unknown;
}

/** A Status error as the API server words it. */
export function statusError(code: number, reason: string, message: string): ApiError {
  const status: Status = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', code, reason, message };
  return new ApiError(status);
}

const keyOf = ({ namespace, name }: ObjectName) => (namespace ? `${namespace}/${name}` : name);
const tableOf = (resource: Resource) => (resource.group ? `${resource.plural}.${resource.group}` : resource.plural);

export class FakeApi implements Client {
  /** Every write and read, in order. */
  readonly calls: FakeCall[] = [];
  private readonly tables = new Map<string, Map<string, Draft>>();
  private readonly hub: FakeWatchHub;
  private readonly clock: Clock;
  private interceptors: ((call: FakeCall) => void)[] = [];
  private version = 1;
  private serial = 0;

  constructor(options: { clock?: Clock } = {}) {
    this.clock = options.clock ?? systemClock;
    this.hub = new FakeWatchHub();
  }

  /** Runs before every call; what it throws the caller gets. Answers how to take it away. */
  intercept(interceptor: (call: FakeCall) => void): () => void {
    this.interceptors.push(interceptor);
    return () => {
      this.interceptors = this.interceptors.filter((other) => other !== interceptor);
    };
  }

  /** Ends all open watches: with an error, or quietly as a server does at their timeout. */
  endWatches(error?: unknown): void {
    this.hub.endAll(error);
  }

  /** Forgets the history, so that a watch from an older version answers 410. */
  compact(): void {
    this.hub.compact(this.version);
  }

  /** All objects of a resource as they are now. */
  objects<T extends KubeObject>(resource: Resource, namespace?: string): T[] {
    const all = [...this.table(resource).values()] as unknown as T[];
    return all.filter((object) => namespace === undefined || object.metadata.namespace === namespace);
  }

  object<T extends KubeObject>(resource: Resource, name: ObjectName): T | undefined {
    return this.table(resource).get(keyOf(name)) as unknown as T | undefined;
  }

  async get<T extends KubeObject>(resource: Resource, name: ObjectName): Promise<T> {
    await this.enter({ verb: 'get', resource, name });
    return this.existing(resource, name) as unknown as T;
  }

  async list<T extends KubeObject>(resource: Resource, options: ListOptions = {}): Promise<KubeList<T>> {
    await this.enter({ verb: 'list', resource });
    const selected = selectionOf(options);
    const items = this.objects<T>(resource).filter(selected);
    return { apiVersion: 'v1', kind: 'List', metadata: { resourceVersion: String(this.version) }, items };
  }

  async *watch<T extends KubeObject>(resource: Resource, options: WatchOptions): AsyncGenerator<WatchEvent<T>> {
    await this.enter({ verb: 'watch', resource });
    const initial = options.resourceVersion ? undefined : this.objects(resource);
    const events = this.hub.watch(tableOf(resource), { ...options, initial, version: this.version });
    for await (const event of events) yield event as WatchEvent<T>;
  }

  async create<T extends KubeObject>(
    resource: Resource,
    object: T,
    options: WriteOptions & { namespace?: string; name?: string } = {},
  ): Promise<T> {
    const namespace = resource.namespaced ? (options.namespace ?? object.metadata.namespace) : undefined;
    const named = options.name ?? object.metadata.name;
    const name = { namespace, name: named ?? `${object.metadata.generateName ?? ''}${this.suffix()}` };
    await this.enter({ verb: 'create', resource, name, subresource: options.subresource, body: object });
    if (options.subresource === 'binding') return this.bind(name, object as unknown as Binding) as unknown as T;
    this.checkNamespace(resource, namespace);
    if (this.table(resource).has(keyOf(name))) {
      throw statusError(409, 'AlreadyExists', `${tableOf(resource)} "${name.name}" already exists`);
    }
    const draft = structuredClone(object) as Draft;
    draft.metadata = {
      ...draft.metadata,
      name: name.name,
      ...(namespace ? { namespace } : {}),
      uid: `uid-${++this.serial}`,
      generation: 1,
      creationTimestamp: formatTime(this.clock.now()),
    };
    if (resource.plural === 'namespaces') {
      (draft as Namespace).spec = { finalizers: ['kubernetes'] };
      (draft as Namespace).status = { phase: 'Active' };
    }
    return this.put(resource, draft, 'ADDED') as unknown as T;
  }

  async update<T extends KubeObject>(resource: Resource, object: T, options: WriteOptions = {}): Promise<T> {
    const { namespace, name = '' } = object.metadata;
    await this.enter({
      verb: 'update',
      resource,
      name: { namespace, name },
      subresource: options.subresource,
      body: object,
    });
    const old = this.existing(resource, { namespace, name });
    return this.replace(resource, old, { draft: structuredClone(object), ...options }) as unknown as T;
  }

  async patch<T extends KubeObject>(
    resource: Resource,
    name: ObjectName,
    patch: { type: PatchType; body: unknown } & WriteOptions,
  ): Promise<T> {
    await this.enter({ verb: 'patch', resource, name, subresource: patch.subresource, body: patch.body });
    const old = this.existing(resource, name);
    const copy = structuredClone(old) as unknown;
    const changed = patch.type === 'json' ? applyJsonPatch(copy, patch.body) : applyMergePatch(copy, patch.body);
    return this.replace(resource, old, { draft: changed as Draft, subresource: patch.subresource }) as unknown as T;
  }

  async delete(resource: Resource, name: ObjectName, options: DeleteOptions = {}): Promise<void> {
    await this.enter({ verb: 'delete', resource, name, body: options });
    const old = this.existing(resource, name);
    const { uid, resourceVersion } = options.preconditions ?? {};
    if ((uid && uid !== old.metadata.uid) || (resourceVersion && resourceVersion !== old.metadata.resourceVersion)) {
      throw statusError(409, 'Conflict', 'the preconditions do not hold');
    }
    const draft = structuredClone(old);
    const finalizers = new Set(draft.metadata.finalizers);
    if (options.propagationPolicy === 'Foreground') finalizers.add('foregroundDeletion');
    if (options.propagationPolicy === 'Orphan') finalizers.add('orphan');
    draft.metadata.finalizers = [...finalizers];
    const grace = resource.plural === 'pods' && (draft as Pod).spec.nodeName ? (options.gracePeriodSeconds ?? 30) : 0;
    const pending = resource.plural === 'namespaces' && ((draft as Namespace).spec?.finalizers?.length ?? 0) > 0;
    if (finalizers.size === 0 && grace === 0 && !pending) {
      this.remove(resource, draft);
      return;
    }
    draft.metadata.deletionTimestamp ??= formatTime(this.clock.now() + grace * 1000);
    draft.metadata.deletionGracePeriodSeconds = grace;
    if (pending) (draft as Namespace).status = { ...(draft as Namespace).status, phase: 'Terminating' };
    this.put(resource, draft, 'MODIFIED');
  }

  private async enter(call: FakeCall): Promise<void> {
    await Promise.resolve();
    this.calls.push(call);
    if (call.verb !== 'delete') checkJson(call.body, call.verb);
    for (const interceptor of this.interceptors) interceptor(call);
  }

  private table(resource: Resource): Map<string, Draft> {
    const name = tableOf(resource);
    const table = this.tables.get(name) ?? new Map<string, Draft>();
    this.tables.set(name, table);
    return table;
  }

  private existing(resource: Resource, name: ObjectName): Draft {
    const found = this.table(resource).get(keyOf(name));
    if (!found) throw statusError(404, 'NotFound', `${tableOf(resource)} "${name.name}" not found`);
    return found;
  }

  private checkNamespace(resource: Resource, namespace: string | undefined): void {
    if (!resource.namespaced || !namespace) return;
    const found = this.tables.get('namespaces')?.get(namespace);
    if (!found?.metadata.deletionTimestamp) return;
    const message = `unable to create new content in namespace ${namespace} because it is being terminated`;
    throw statusError(403, 'Forbidden', message);
  }

  private replace(resource: Resource, old: Draft, write: { draft: Draft; subresource?: string }): Draft {
    const { draft, subresource } = write;
    const given = draft.metadata.resourceVersion;
    if (given && given !== old.metadata.resourceVersion) {
      const message = `Operation cannot be fulfilled on ${tableOf(resource)} "${old.metadata.name}": the object has been modified; please apply your changes to the latest version and try again`;
      throw statusError(409, 'Conflict', message);
    }
    const next = this.merged(old, draft, subresource);
    next.metadata = { ...next.metadata, resourceVersion: old.metadata.resourceVersion };
    if (jsonEqual(next, old)) return old;
    if (isGone(next)) return this.remove(resource, next);
    return this.put(resource, next, 'MODIFIED');
  }

  /** What a write through the object itself, `status` or another subresource may change. */
  private merged(old: Draft, draft: Draft, subresource: string | undefined): Draft {
    if (subresource === 'status') return { ...structuredClone(old), status: draft.status };
    const { uid, creationTimestamp, deletionTimestamp, deletionGracePeriodSeconds, generation } = old.metadata;
    const kept = { uid, creationTimestamp, deletionTimestamp, deletionGracePeriodSeconds };
    const changed = !jsonEqual(old.spec ?? null, draft.spec ?? null);
    const metadata = { ...draft.metadata, ...kept, generation: (generation ?? 1) + (changed ? 1 : 0) };
    const next: Draft = { ...draft, metadata };
    if (old.status !== undefined) next.status = structuredClone(old.status);
    else delete next.status;
    return JSON.parse(JSON.stringify(next)) as Draft;
  }

  private bind(name: ObjectName, binding: Binding): KubeObject {
    const resource = { group: '', version: 'v1', plural: 'pods', namespaced: true };
    const pod = structuredClone(this.existing(resource, name)) as Pod;
    if (pod.spec.nodeName) {
      const message = `Operation cannot be fulfilled on pods/binding "${name.name}": pod ${name.name} is already assigned to node "${pod.spec.nodeName}"`;
      throw statusError(409, 'Conflict', message);
    }
    pod.spec.nodeName = binding.target.name;
    const others = (pod.status?.conditions ?? []).filter(({ type }) => type !== 'PodScheduled');
    pod.status = { ...pod.status, conditions: [...others, { type: 'PodScheduled', status: 'True' }] };
    return this.put(resource, pod, 'MODIFIED');
  }

  private put(resource: Resource, object: Draft, type: 'ADDED' | 'MODIFIED'): Draft {
    object.metadata.resourceVersion = String(++this.version);
    const frozen = deepFreeze(object);
    const old = this.table(resource).get(keyOf(frozen.metadata as ObjectName));
    this.table(resource).set(keyOf(frozen.metadata as ObjectName), frozen);
    this.hub.publish(tableOf(resource), { type, object: frozen, old, version: this.version });
    return frozen;
  }

  private remove(resource: Resource, object: Draft): Draft {
    const last = structuredClone(object);
    last.metadata.resourceVersion = String(++this.version);
    const frozen = deepFreeze(last);
    const old = this.table(resource).get(keyOf(frozen.metadata as ObjectName));
    this.table(resource).delete(keyOf(frozen.metadata as ObjectName));
    this.hub.publish(tableOf(resource), { type: 'DELETED', object: frozen, old, version: this.version });
    return frozen;
  }

  private suffix(): string {
    return (++this.serial).toString(36).padStart(5, '0');
  }
}

/** The real in-process client takes an undefined member for a value of the wrong type. */
function checkJson(value: unknown, path: string): void {
  if (value === undefined && path.includes('.')) throw statusError(400, 'BadRequest', `${path} is undefined`);
  if (typeof value !== 'object' || value === null) return;
  for (const [name, member] of Object.entries(value)) checkJson(member, `${path}.${name}`);
}

/** Whether a marked object has nothing left to wait for. */
function isGone(object: Draft): boolean {
  if (!object.metadata.deletionTimestamp || (object.metadata.finalizers?.length ?? 0) > 0) return false;
  const finalizers = (object as Namespace).spec?.finalizers;
  return (object.metadata.deletionGracePeriodSeconds ?? 0) === 0 && (finalizers?.length ?? 0) === 0;
}
