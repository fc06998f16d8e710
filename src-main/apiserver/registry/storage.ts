// Writes of one kind to the store: one transaction each, guarded by the version read. The cache is told beforehand what
// object the bytes stand for, so that nothing is parsed again on its way back.

import type { KubeObject } from '../../api';
import type { Store } from '../../store';
import type { WatchCache } from '../watch-cache/watch-cache';
import type { Codec, Entry } from './codec';

export interface StorageOptions {
  store: Store;
  codec: Codec;
  cache: WatchCache;
  /** Lease to attach objects to at each write; absent = they stay. */
  lease?(): Promise<bigint>;
  /** Resolves when the cache has seen a revision. */
  reached(revision: number): Promise<void> | undefined;
}

interface Write {
  key: string;
  object: KubeObject;
  value: Buffer;
  /** The version to replace; 0 = there must be none. */
  expectedRevision: number;
}

export class Storage {
  constructor(private readonly options: StorageOptions) {}

  /** Stores a new object, which is taken over and frozen; undefined when the key exists. */
  create(key: string, object: KubeObject): Promise<Entry | undefined> {
    return this.put({ key, object, expectedRevision: 0, value: this.options.codec.encode(object) });
  }

  /** Replaces the version `current` by an object and its encoded form; undefined when another write came first. */
  update(current: Entry, object: KubeObject, value: Buffer): Promise<Entry | undefined> {
    return this.put({ key: current.key, object, expectedRevision: current.revision, value });
  }

  /** Deletes the version `current` and answers its last state at the deleting revision; undefined as above. */
  async remove(current: Entry): Promise<Entry | undefined> {
    const { store, codec } = this.options;
    const { key, revision } = current;
    const answer = await store.txn({
      compare: [{ key, target: 'mod', operator: 'equal', operand: revision }],
      success: [{ type: 'delete', request: { key } }],
      failure: [],
    });
    return answer.succeeded ? codec.atRevision(current, answer.revision) : undefined;
  }

  private async put(write: Write): Promise<Entry | undefined> {
    const { store, codec, cache, reached } = this.options;
    const { key, object, expectedRevision, value } = write;
    const lease = await this.options.lease?.();
    cache.expect(key, value, object);
    try {
      const answer = await store.txn({
        compare: [{ key, target: 'mod', operator: 'equal', operand: expectedRevision }],
        success: [{ type: 'put', request: lease === undefined ? { key, value } : { key, value, lease } }],
        failure: [],
      });
      if (!answer.succeeded) return undefined;
      await reached(answer.revision);
      const cached = cache.get(key);
      // Another write may already have replaced it; what is answered is this one.
      return cached?.revision === answer.revision ? cached : codec.entry({ key, value, revision: answer.revision });
    } finally {
      cache.forget(key, value);
    }
  }
}
