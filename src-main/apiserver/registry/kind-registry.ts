// One kind's registry: the fixed pipeline every write passes, whatever the kind. Creation: name → admission → prepare →
// server-owned metadata → validate → allocate → store. Updates: see `modify`. Deletions are in `deletion`.

import { randomUUID } from 'node:crypto';
import {
  formatTime,
  jsonEqual,
  keepServerOwnedMeta,
  type Kind,
  type KubeObject,
  validateObjectMeta,
  validateObjectMetaUpdate,
} from '../../api';
import { type Clock, systemClock } from '../../kit';
import type { Store } from '../../store';
import { type AdmissionPlugin, type AdmissionRequest, admit } from '../admission/admission';
import { alreadyExists, badRequest, conflict, invalid, modifiedConflict, timeout } from '../status/errors';
import type { CacheHub } from '../watch-cache/cache-hub';
import { WatchCache } from '../watch-cache/watch-cache';
import type { Call } from './call';
import { Codec, type Entry } from './codec';
import { KeyLock } from './key-lock';
import { kindPrefix } from './keys';
import { generatedName } from './name-generator';
import { Reader } from './reader';
import { Storage } from './storage';

/** What was reserved for a write (addresses, ports), to be kept or given back. */
export interface Reservation {
  commit(): void;
  release(): void;
}

/** Allocates what a kind needs outside of itself. Throws an ApiError when it cannot. */
export interface Allocator {
  reserve(draft: KubeObject, old: KubeObject | undefined): Reservation | undefined;
}

export interface KindRegistryOptions {
  kind: Kind;
  store: Store;
  hub: CacheHub;
  admission: readonly AdmissionPlugin[];
  allocator?: Allocator;
  /** Lease for objects that expire. */
  lease?(): Promise<bigint>;
  clock?: Clock;
}

export interface Modification {
  namespace: string;
  name: string;
  subresource?: string;
  /** The next state made from the current one, which it must not change; called again when another write came between. */
  transform(current: Entry): KubeObject | Promise<KubeObject>;
  /** What to keep of the old state; default: the kind's own preparation. */
  prepare?(draft: KubeObject, old: KubeObject): void;
  /** Checks of a change; default: all of the kind's. */
  validate?: 'all' | 'status' | 'none';
  /** Deletes instead of storing when true of the next state. */
  finished?(draft: KubeObject): boolean;
}

const maxAttempts = 50;
const maxNameAttempts = 8;

export class KindRegistry {
  readonly kind: Kind;
  readonly codec: Codec;
  readonly cache: WatchCache;
  readonly reader: Reader;
  readonly storage: Storage;
  readonly hub: CacheHub;
  private readonly locks = new KeyLock();

  constructor(private readonly options: KindRegistryOptions) {
    const { kind, store, hub } = options;
    this.kind = kind;
    this.hub = hub;
    this.codec = new Codec(kind);
    this.cache = new WatchCache(kindPrefix(kind), this.codec);
    const { codec, cache } = this;
    this.reader = new Reader({ kind, store, hub, cache, codec });
    this.storage = new Storage({
      store,
      codec,
      cache,
      reached: (revision) => hub.reached(revision),
      ...(options.lease ? { lease: options.lease } : {}),
    });
    hub.add(cache);
  }

  now(): number {
    return (this.options.clock ?? systemClock).now();
  }

  /** Stores a decoded object, which is taken over. */
  async create(namespace: string, draft: KubeObject, call: Call): Promise<Entry> {
    const { kind } = this;
    const { metadata } = draft;
    if (metadata.resourceVersion) throw badRequest('resourceVersion should not be set on objects to be created');
    const base = metadata.name ? undefined : metadata.generateName;
    if (base) metadata.name = generatedName(base);
    for (const field of ['deletionTimestamp', 'deletionGracePeriodSeconds', 'generation'] as const)
      delete metadata[field];
    const name = metadata.name ?? '';
    await this.admit({ operation: 'CREATE', namespace, name, subresource: '', object: draft, old: undefined, call });
    metadata.uid = randomUUID();
    metadata.creationTimestamp = formatTime(this.now());
    kind.prepareForCreate(draft);
    const rules = { namespaced: kind.namespaced, ...(kind.nameFormat ? { nameFormat: kind.nameFormat } : {}) };
    const errors = [...validateObjectMeta(metadata, rules), ...kind.validate(draft)];
    if (errors.length > 0) throw invalid(kind, metadata.name ?? '', errors);

    for (let attempt = 1; ; attempt++) {
      const reservation = this.options.allocator?.reserve(draft, undefined);
      let entry: Entry | undefined;
      try {
        entry = await this.insert(namespace, draft, call);
      } finally {
        if (entry && !call.dryRun) reservation?.commit();
        else reservation?.release();
      }
      if (entry) return entry;
      if (!base || attempt >= maxNameAttempts) throw alreadyExists(kind, metadata.name!);
      metadata.name = generatedName(base);
    }
  }

  private async insert(namespace: string, draft: KubeObject, call: Call): Promise<Entry | undefined> {
    const key = this.reader.key(namespace, draft.metadata.name!);
    if (call.dryRun) return this.cache.get(key) ? undefined : this.unsaved(key, draft, 0);
    return this.storage.create(key, draft);
  }

  /** Reads, changes and stores an object until no other write comes between; the one way of every update. */
  async modify(modification: Modification, call: Call): Promise<Entry> {
    const { namespace, name } = modification;
    return this.locks.run(this.reader.key(namespace, name), async () => {
      for (let attempt = 0; attempt < maxAttempts; attempt++) {
        const current = await this.reader.get(namespace, name);
        const next = await this.attempt(current, modification, call);
        if (next) return next;
      }
      throw timeout(`the ${this.kind.kind} "${name}" kept changing under this request`);
    });
  }

  /** Runs `work` while no other write of this object does. */
  exclusively<T>(namespace: string, name: string, work: () => Promise<T>): Promise<T> {
    return this.locks.run(this.reader.key(namespace, name), work);
  }

  private async attempt(current: Entry, modification: Modification, call: Call): Promise<Entry | undefined> {
    const { kind } = this;
    const { namespace, name, subresource = '' } = modification;
    const old = current.object;
    const draft = await modification.transform(current);
    this.checkIdentity(draft, old);
    keepServerOwnedMeta(draft.metadata, old.metadata);
    if (old.metadata.generation !== undefined) draft.metadata.generation = old.metadata.generation;
    (modification.prepare ?? kind.prepareForUpdate)(draft, old);
    await this.admit({ operation: 'UPDATE', namespace, name, subresource, object: draft, old, call });
    this.validate(draft, old, modification.validate ?? 'all');

    const reservation = subresource === '' ? this.options.allocator?.reserve(draft, old) : undefined;
    let stored: Entry | undefined;
    try {
      stored = await this.save(current, draft, modification, call);
    } finally {
      if (stored && !call.dryRun) reservation?.commit();
      else reservation?.release();
    }
    return stored;
  }

  private async save(
    current: Entry,
    draft: KubeObject,
    modification: Modification,
    call: Call,
  ): Promise<Entry | undefined> {
    const finished = modification.finished?.(draft) ?? this.isFinished(draft);
    if (finished) {
      if (!call.dryRun) return this.storage.remove(current);
      return this.unsaved(current.key, draft, current.revision);
    }
    const value = this.codec.encode(draft);
    const before = this.codec.storedBytes(current);
    // Equal content needs no write; content in another order is equal too, and has the same length.
    if (value.length === before.length && (value.equals(before) || jsonEqual(parsed(value), parsed(before)))) {
      return current;
    }
    if (call.dryRun) return this.unsaved(current.key, draft, current.revision);
    return this.storage.update(current, draft, value);
  }

  /** Deleted already and nothing holds it any more. */
  private isFinished(draft: KubeObject): boolean {
    const { deletionTimestamp, deletionGracePeriodSeconds, finalizers } = draft.metadata;
    if (!deletionTimestamp || (deletionGracePeriodSeconds ?? 0) > 0 || (finalizers?.length ?? 0) > 0) return false;
    return specFinalizers(draft).length === 0;
  }

  private checkIdentity(draft: KubeObject, old: KubeObject): void {
    const { kind } = this;
    const name = old.metadata.name!;
    const { resourceVersion, uid } = draft.metadata;
    if (resourceVersion && resourceVersion !== '0' && resourceVersion !== old.metadata.resourceVersion) {
      throw modifiedConflict(kind, name);
    }
    if (uid && uid !== old.metadata.uid) {
      throw conflict(
        kind,
        name,
        `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${old.metadata.uid}`,
      );
    }
  }

  private validate(draft: KubeObject, old: KubeObject, mode: 'all' | 'status' | 'none'): void {
    const { kind } = this;
    const errors = validateObjectMetaUpdate(draft.metadata, old.metadata);
    if (mode === 'all') errors.push(...kind.validate(draft), ...kind.validateUpdate({ object: draft, old }));
    if (mode === 'status') errors.push(...(kind.status?.validateUpdate({ object: draft, old }) ?? []));
    if (errors.length > 0) throw invalid(kind, old.metadata.name!, errors);
  }

  async admit(request: Omit<AdmissionRequest, 'kind'>): Promise<void> {
    await admit(this.options.admission, { ...request, kind: this.kind });
  }

  /** What a dry run answers: the object as it would be. */
  unsaved(key: string, draft: KubeObject, revision: number): Entry {
    const value = this.codec.encode(draft);
    const entry = this.codec.entry({ key, value, revision });
    if (revision > 0) return entry;
    return { ...entry, bytes: value, object: parsed(value) };
  }
}

/** Finalizers that a Namespace has in its spec. */
export function specFinalizers(object: KubeObject): readonly string[] {
  if (object.kind !== 'Namespace') return [];
  return (object as KubeObject & { spec?: { finalizers?: string[] } }).spec?.finalizers ?? [];
}

function parsed(value: Buffer): KubeObject {
  return JSON.parse(value.toString('utf8')) as KubeObject;
}
