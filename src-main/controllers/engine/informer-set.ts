// One informer per resource, shared by all controllers of a process.

import type { KubeObject } from '../../api';
import {
  type Client,
  createInformer,
  type IndexFunction,
  type Informer,
  type Lister,
  type Resource,
} from '../../client';
import type { Clock, Logger } from '../../kit';

export class InformerSet {
  private readonly informers = new Map<string, Informer<KubeObject>>();
  private readonly indexes = new Set<string>();

  constructor(private readonly options: { client: Client; logger: Logger; clock: Clock }) {}

  informer<T extends KubeObject>(resource: Resource): Informer<T> {
    const name = nameOfResource(resource);
    let informer = this.informers.get(name);
    if (!informer) {
      informer = createInformer<KubeObject>({ ...this.options, resource });
      this.informers.set(name, informer);
    }
    return informer as unknown as Informer<T>;
  }

  lister<T extends KubeObject>(resource: Resource): Lister<T> {
    return this.informer<T>(resource).lister;
  }

  /** Adds an index unless one of that name is there: several controllers may want the same one. */
  index<T extends KubeObject>(resource: Resource, name: string, index: IndexFunction<T>): void {
    const id = `${nameOfResource(resource)} ${name}`;
    if (this.indexes.has(id)) return;
    this.indexes.add(id);
    this.informer<T>(resource).addIndex(name, index);
  }

  /** Starts all informers asked for so far. The promise resolves when all have ended after the signal aborted. */
  async start(signal: AbortSignal): Promise<void> {
    await Promise.all([...this.informers.values()].map((informer) => informer.start(signal)));
  }

  async waitForSync(signal: AbortSignal): Promise<void> {
    await Promise.all([...this.informers.values()].map((informer) => informer.waitForSync(signal)));
  }
}

export function nameOfResource({ group, plural }: Resource): string {
  return group ? `${plural}.${group}` : plural;
}
