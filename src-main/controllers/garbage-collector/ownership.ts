// The graph of owners: who depends on an object, found over the informers of all kinds.

import type { KubeObject, OwnerReference } from '../../api';
import { objectKey } from '../../client';
import { type ControllerContext, type InformerSet, nameOfResource, type ServedKind } from '../engine';

const ownerIndex = 'by-owner-uid';

/** One object of one kind. */
export interface Item {
  kind: ServedKind;
  object: KubeObject;
}

export const foreground = 'foregroundDeletion';
export const orphan = 'orphan';

export function hasFinalizer({ metadata }: KubeObject, name: string): boolean {
  return metadata.finalizers?.includes(name) ?? false;
}

/** Waits for its dependents to be gone first. */
export function awaitsDependents(object: KubeObject): boolean {
  return object.metadata.deletionTimestamp !== undefined && hasFinalizer(object, foreground);
}

/** `pods namespace/name`: what the collector's queue holds. */
export function itemKey(kind: ServedKind, object: KubeObject): string {
  return `${nameOfResource(kind)} ${objectKey(object)}`;
}

/** Events have neither owners nor dependents worth following. */
export function collectedKinds(kinds: readonly ServedKind[]): ServedKind[] {
  return kinds.filter(({ plural, group }) => !(plural === 'events' && (group === '' || group === 'events.k8s.io')));
}

export class Ownership {
  readonly kinds: readonly ServedKind[];
  private readonly byResource: Map<string, ServedKind>;
  private readonly byType: Map<string, ServedKind>;

  constructor(private readonly context: ControllerContext) {
    this.kinds = collectedKinds(context.settings.kinds);
    this.byResource = new Map(this.kinds.map((kind) => [nameOfResource(kind), kind]));
    this.byType = new Map(this.kinds.map((kind) => [`${kind.group} ${kind.kind}`, kind]));
    for (const kind of this.kinds) {
      context.informers.index(
        kind,
        ownerIndex,
        ({ metadata }) => metadata.ownerReferences?.map(({ uid }) => uid) ?? [],
      );
    }
  }

  item(key: string): Item | undefined {
    const space = key.indexOf(' ');
    const kind = this.byResource.get(key.slice(0, space));
    const object = kind && this.context.informers.lister(kind).get(key.slice(space + 1));
    return kind && object ? { kind, object } : undefined;
  }

  /** The kind of an owner by apiVersion and kind, whatever its version. */
  kindOf({ apiVersion, kind }: OwnerReference): ServedKind | undefined {
    const slash = apiVersion.indexOf('/');
    return this.byType.get(`${slash < 0 ? '' : apiVersion.slice(0, slash)} ${kind}`);
  }

  dependentsOf(owner: KubeObject): Item[] {
    const { uid, namespace } = owner.metadata;
    if (!uid) return [];
    return this.kinds.flatMap((kind) =>
      this.context.informers
        .lister(kind)
        .byIndex(ownerIndex, uid)
        // An owner in a namespace owns nothing outside it.
        .filter((object) => !namespace || object.metadata.namespace === namespace)
        .map((object) => ({ kind, object })),
    );
  }
}

/** Keys of everything that names this uid as an owner. */
export function dependentKeys(informers: InformerSet, kinds: readonly ServedKind[], owner: KubeObject): string[] {
  const { uid } = owner.metadata;
  if (!uid) return [];
  return kinds.flatMap((kind) =>
    informers
      .lister(kind)
      .byIndex(ownerIndex, uid)
      .map((object) => itemKey(kind, object)),
  );
}
