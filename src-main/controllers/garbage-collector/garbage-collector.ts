// Deletes what has lost all its owners, and carries out the two other ways of deletion: foreground (dependents first)
// and orphan (dependents let go). An owner counts as gone only when the API server says so, not when a lister lags.

import type { KubeObject, OwnerReference } from '../../api';
import { ApiError, type DeleteOptions, nameOf, referenceTo } from '../../client';
import {
  type ControllerContext,
  type ControllerDeclaration,
  mapped,
  type Outcome,
  type Reconciler,
  type ServedKind,
} from '../engine';
import {
  awaitsDependents,
  collectedKinds,
  dependentKeys,
  foreground,
  hasFinalizer,
  type Item,
  itemKey,
  orphan,
  Ownership,
} from './ownership';

const ownerRefInvalidNamespace = 'OwnerRefInvalidNamespace';

export const garbageCollector: ControllerDeclaration = {
  name: 'garbage-collector',
  component: 'garbage-collector-controller',
  concurrency: 8,
  watches: ({ kinds }) => {
    const collected = collectedKinds(kinds);
    return collected.map((kind) =>
      mapped(kind, ({ object, old, deleted }, { informers }) => {
        const { metadata } = object;
        if (deleted) return [...dependentKeys(informers, collected, object), ...ownerKeys(collected, object)];
        const owners = metadata.ownerReferences?.length ?? 0;
        const changed = old?.metadata.deletionTimestamp !== metadata.deletionTimestamp;
        const waits = metadata.deletionTimestamp && (hasFinalizer(object, foreground) || hasFinalizer(object, orphan));
        // A dependent that stops blocking may have been the last its owner waited for.
        const released = old?.metadata.ownerReferences !== undefined && changed ? ownerKeys(collected, old) : [];
        return owners > 0 || waits ? [itemKey(kind, object), ...released] : released;
      }),
    );
  },
  create: (context) => new GarbageReconciler(context),
};

function ownerKeys(kinds: readonly ServedKind[], { metadata }: KubeObject): string[] {
  return (metadata.ownerReferences ?? []).flatMap(({ kind: ownerKind, name }) => {
    const kind = kinds.find((candidate) => candidate.kind === ownerKind);
    const namespace = kind?.namespaced ? metadata.namespace : undefined;
    return kind ? [itemKey(kind, { metadata: { namespace, name } })] : [];
  });
}

interface Owners {
  solid: OwnerReference[];
  /** Gone: never there, or another object of the same name now. */
  dangling: OwnerReference[];
  /** Being deleted in the foreground: they wait for this object. */
  waiting: OwnerReference[];
}

class GarbageReconciler implements Reconciler {
  private readonly ownership: Ownership;

  constructor(private readonly context: ControllerContext) {
    this.ownership = new Ownership(context);
  }

  async reconcile(key: string): Promise<Outcome> {
    const item = this.ownership.item(key);
    if (!item) return;
    const { metadata } = item.object;
    if (metadata.deletionTimestamp) {
      if (hasFinalizer(item.object, orphan)) await this.orphanDependents(item);
      else if (awaitsDependents(item.object)) await this.deleteDependents(item);
      return;
    }
    const owners = await this.sortOwners(item);
    if (owners.dangling.length + owners.waiting.length === 0) return;
    if (owners.solid.length > 0) {
      await this.dropOwners(item, [...owners.dangling, ...owners.waiting]);
      return;
    }
    await this.collect(item, owners);
  }

  private async sortOwners(item: Item): Promise<Owners> {
    const owners: Owners = { solid: [], dangling: [], waiting: [] };
    for (const reference of item.object.metadata.ownerReferences ?? []) {
      owners[await this.standingOf(item, reference)].push(reference);
    }
    return owners;
  }

  private async standingOf(item: Item, reference: OwnerReference): Promise<keyof Owners> {
    const { informers, client, logger } = this.context;
    const kind = this.ownership.kindOf(reference);
    // Of a kind we do not serve nothing can be known: what cannot be proved gone is not collected.
    if (!kind) {
      logger.debug('owner of an unknown kind', { object: itemKey(item.kind, item.object), owner: reference.kind });
      return 'solid';
    }
    if (kind.namespaced && !item.kind.namespaced) {
      this.reportNamespace(item, reference);
      return 'solid';
    }
    const name = { namespace: kind.namespaced ? item.object.metadata.namespace : undefined, name: reference.name };
    const held = informers.lister(kind).get(name.namespace ? `${name.namespace}/${name.name}` : name.name);
    if (held?.metadata.uid === reference.uid) return awaitsDependents(held) ? 'waiting' : 'solid';
    try {
      const living = await client.get(kind, name);
      if (living.metadata.uid !== reference.uid) return 'dangling';
      return awaitsDependents(living) ? 'waiting' : 'solid';
    } catch (error) {
      if (ApiError.is(error, 'NotFound')) return 'dangling';
      throw error;
    }
  }

  private reportNamespace({ kind, object }: Item, { apiVersion, kind: ownerKind, name, uid }: OwnerReference): void {
    const type = { apiVersion: kind.group ? `${kind.group}/${kind.version}` : kind.version, kind: kind.kind };
    const message = `ownerRef [${apiVersion}/${ownerKind}, namespace: , name: ${name}, uid: ${uid}] does not exist in namespace ""`;
    this.context.events.record(referenceTo(type, object), {
      type: 'Warning',
      reason: ownerRefInvalidNamespace,
      message,
    });
  }

  private async collect(item: Item, owners: Owners): Promise<void> {
    const { object } = item;
    const first = owners.waiting.length > 0 && this.ownership.dependentsOf(object).length > 0;
    let policy: DeleteOptions['propagationPolicy'] = first ? 'Foreground' : 'Background';
    if (hasFinalizer(object, orphan)) policy = 'Orphan';
    else if (hasFinalizer(object, foreground)) policy = 'Foreground';
    this.context.logger.info('collecting', { object: itemKey(item.kind, object), policy });
    await this.delete(item, policy);
  }

  /** Foreground: the object goes when no dependent that blocks is left. */
  private async deleteDependents(owner: Item): Promise<void> {
    const dependents = this.ownership.dependentsOf(owner.object);
    for (const dependent of dependents) {
      const { ownerReferences = [], deletionTimestamp } = dependent.object.metadata;
      if (deletionTimestamp) continue;
      // One with other owners is not ours to delete; its own reconcile drops the reference.
      if (ownerReferences.length > 1) continue;
      const deeper = this.ownership.dependentsOf(dependent.object).length > 0;
      await this.delete(dependent, deeper ? 'Foreground' : 'Background');
    }
    const uid = owner.object.metadata.uid;
    const blocking = dependents.some(({ object }) =>
      object.metadata.ownerReferences?.some((reference) => reference.uid === uid && reference.blockOwnerDeletion),
    );
    if (!blocking) await this.removeFinalizer(owner, foreground);
  }

  private async orphanDependents(owner: Item): Promise<void> {
    const { uid } = owner.object.metadata;
    for (const dependent of this.ownership.dependentsOf(owner.object)) {
      const references = dependent.object.metadata.ownerReferences ?? [];
      await this.dropOwners(
        dependent,
        references.filter((reference) => reference.uid === uid),
      );
    }
    await this.removeFinalizer(owner, orphan);
  }

  private async dropOwners({ kind, object }: Item, dropped: readonly OwnerReference[]): Promise<void> {
    const { uid, resourceVersion } = object.metadata;
    const gone = new Set(dropped.map((reference) => reference.uid));
    const ownerReferences = (object.metadata.ownerReferences ?? []).filter((reference) => !gone.has(reference.uid));
    const body = { metadata: { uid, resourceVersion, ownerReferences } };
    await this.ignoringGone(() => this.context.client.patch(kind, nameOf(object), { type: 'merge', body }));
  }

  private async removeFinalizer({ kind, object }: Item, finalizer: string): Promise<void> {
    const { uid, resourceVersion } = object.metadata;
    const finalizers = object.metadata.finalizers?.filter((name) => name !== finalizer) ?? [];
    const body = { metadata: { uid, resourceVersion, finalizers } };
    await this.ignoringGone(() => this.context.client.patch(kind, nameOf(object), { type: 'merge', body }));
  }

  private async delete(item: Item, propagationPolicy: DeleteOptions['propagationPolicy']): Promise<void> {
    const { uid, resourceVersion } = item.object.metadata;
    const options = { propagationPolicy, preconditions: { uid, resourceVersion } };
    await this.ignoringGone(() => this.context.client.delete(item.kind, nameOf(item.object), options));
  }

  private async ignoringGone(work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!ApiError.is(error, 'NotFound')) throw error;
    }
  }
}
