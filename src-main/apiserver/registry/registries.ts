// The registries of all served kinds, by their address.

import type { KubeObject } from '../../api';
import { unknownPath } from '../status/errors';
import type { KindRegistry } from './kind-registry';

export interface ResourceAddress {
  group: string;
  version: string;
  resource: string;
}

export class Registries {
  private readonly byAddress = new Map<string, KindRegistry>();

  add(registry: KindRegistry): void {
    const { group, version, plural } = registry.kind;
    this.byAddress.set(`${group}/${version}/${plural}`, registry);
  }

  find(group: string, version: string, plural: string): KindRegistry | undefined {
    return this.byAddress.get(`${group}/${version}/${plural}`);
  }

  /** Throws 404 when nothing of that name is served. */
  at(group: string, version: string, plural: string): KindRegistry {
    const found = this.find(group, version, plural);
    if (!found) throw unknownPath();
    return found;
  }

  all(): readonly KindRegistry[] {
    return [...this.byAddress.values()];
  }

  /** A cached object of the core group, for admission and allocators; undefined when there is none. */
  cached<T extends KubeObject>(plural: string, namespace: string, name: string): T | undefined {
    const registry = this.find('', 'v1', plural);
    return registry?.cache.get(registry.reader.key(namespace, name))?.object as T | undefined;
  }
}
