// An indexed, read-only view of the objects an informer holds, and the store behind it. Objects are frozen; a key is
// `namespace/name`, or `name` for cluster-scoped kinds.

import type { KubeObject } from '../api';
import { objectKey } from './resource-path';

/** The values under which an object is found in an index. */
export type IndexFunction<T> = (object: T) => readonly string[];

export interface Lister<T> {
  get(key: string): T | undefined;
  /** All objects, or those of one namespace. */
  list(namespace?: string): readonly T[];
  /** Objects whose index function answered `value`. The index must have been added to the informer. */
  byIndex(index: string, value: string): readonly T[];
  readonly size: number;
}

const namespaceIndex = 'namespace';

export class ObjectCache<T extends KubeObject> implements Lister<T> {
  private readonly objects = new Map<string, T>();
  private readonly functions = new Map<string, IndexFunction<T>>();
  private readonly indexes = new Map<string, Map<string, Set<string>>>();

  constructor() {
    this.addIndex(namespaceIndex, ({ metadata }) => (metadata.namespace ? [metadata.namespace] : []));
  }

  get size(): number {
    return this.objects.size;
  }

  /** Adds an index over what is and will be held; adding the same name again is an error. */
  addIndex(name: string, index: IndexFunction<T>): void {
    if (this.functions.has(name)) throw new Error(`index ${name} exists`);
    this.functions.set(name, index);
    this.indexes.set(name, new Map());
    for (const [key, object] of this.objects) this.link(name, index(object), key);
  }

  get(key: string): T | undefined {
    return this.objects.get(key);
  }

  has(key: string): boolean {
    return this.objects.has(key);
  }

  keys(): string[] {
    return [...this.objects.keys()];
  }

  list(namespace?: string): readonly T[] {
    return namespace === undefined ? [...this.objects.values()] : this.byIndex(namespaceIndex, namespace);
  }

  byIndex(name: string, value: string): readonly T[] {
    const index = this.indexes.get(name);
    if (!index) throw new Error(`there is no index ${name}`);
    const keys = index.get(value);
    return keys ? [...keys].map((key) => this.objects.get(key)!) : [];
  }

  /** Stores the object; answers what was held before. */
  set(object: T): T | undefined {
    const key = objectKey(object);
    const old = this.objects.get(key);
    this.objects.set(key, object);
    for (const [name, index] of this.functions) {
      if (old) this.unlink(name, index(old), key);
      this.link(name, index(object), key);
    }
    return old;
  }

  delete(key: string): T | undefined {
    const old = this.objects.get(key);
    if (!old) return undefined;
    for (const [name, index] of this.functions) this.unlink(name, index(old), key);
    this.objects.delete(key);
    return old;
  }

  private link(name: string, values: readonly string[], key: string): void {
    const index = this.indexes.get(name)!;
    for (const value of values) {
      const keys = index.get(value);
      if (keys) keys.add(key);
      else index.set(value, new Set([key]));
    }
  }

  private unlink(name: string, values: readonly string[], key: string): void {
    const index = this.indexes.get(name)!;
    for (const value of values) {
      const keys = index.get(value);
      keys?.delete(key);
      if (keys?.size === 0) index.delete(value);
    }
  }
}
