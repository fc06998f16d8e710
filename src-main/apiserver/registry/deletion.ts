// Deletion of one object: preconditions, grace period, finalizers, propagation. An object that still has a grace period
// or finalizers is marked; whoever removes the last hold makes the update that deletes it for good.

import { formatTime, type Kind, type KubeObject, type Status } from '../../api';
import { badRequest, conflict, notFound } from '../status/errors';
import type { Call } from './call';
import type { Entry } from './codec';
import { type KindRegistry, specFinalizers } from './kind-registry';

export interface Deletion {
  gracePeriodSeconds?: number | undefined;
  propagationPolicy?: string | undefined;
  orphanDependents?: boolean | undefined;
  preconditions?: { uid?: string; resourceVersion?: string } | undefined;
}

export interface DeletionResult {
  entry: Entry;
  /** Gone now, and not merely marked. */
  deleted: boolean;
}

const orphan = 'orphan';
const foreground = 'foregroundDeletion';
const maxAttempts = 50;

/** Checks the options that do not depend on the object. */
export function checkDeletion(options: Deletion): void {
  const { propagationPolicy, orphanDependents } = options;
  if (propagationPolicy !== undefined && orphanDependents !== undefined) {
    throw badRequest('orphanDependents and propagationPolicy cannot be both set');
  }
  if (propagationPolicy !== undefined && !['Orphan', 'Background', 'Foreground'].includes(propagationPolicy)) {
    throw badRequest(
      `invalid propagationPolicy "${propagationPolicy}": supported values: "Foreground", "Background", "Orphan"`,
    );
  }
}

/** Deletes one object or marks it for deletion. Throws 404, and 409 when a precondition does not hold. */
export async function deleteObject(
  registry: KindRegistry,
  target: { namespace: string; name: string; options: Deletion },
  call: Call,
): Promise<DeletionResult> {
  const { namespace, name, options } = target;
  checkDeletion(options);
  return registry.exclusively(namespace, name, async () => {
    for (let attempt = 0; attempt < maxAttempts; attempt++) {
      const current = await registry.reader.get(namespace, name);
      checkPreconditions(registry.kind, current.object, options);
      await registry.admit({
        operation: 'DELETE',
        namespace,
        name,
        subresource: '',
        object: undefined,
        old: current.object,
        call,
      });
      const marked = markedDraft(registry, current.object, options);
      if (!marked) {
        if (call.dryRun) return { entry: current, deleted: true };
        const removed = await registry.storage.remove(current);
        if (removed) return { entry: removed, deleted: true };
        continue;
      }
      if (marked === 'unchanged') return { entry: current, deleted: false };
      if (call.dryRun) return { entry: registry.unsaved(current.key, marked, current.revision), deleted: false };
      const stored = await registry.storage.update(current, marked, registry.codec.encode(marked));
      if (stored) return { entry: stored, deleted: false };
    }
    throw notFound(registry.kind, name);
  });
}

function checkPreconditions(kind: Kind, object: KubeObject, options: Deletion): void {
  const { uid, resourceVersion } = options.preconditions ?? {};
  const { metadata } = object;
  if (uid !== undefined && uid !== metadata.uid) {
    const why = `the UID in the precondition (${uid}) does not match the UID in record (${metadata.uid}). The object might have been deleted and then recreated`;
    throw conflict(kind, metadata.name!, why);
  }
  if (resourceVersion !== undefined && resourceVersion !== metadata.resourceVersion) {
    const why = `the ResourceVersion in the precondition (${resourceVersion}) does not match the ResourceVersion in record (${metadata.resourceVersion}). The object might have been modified`;
    throw conflict(kind, metadata.name!, why);
  }
}

/** The object as marked for deletion; undefined when it may go at once, `unchanged` when it is marked already. */
function markedDraft(
  registry: KindRegistry,
  object: KubeObject,
  options: Deletion,
): KubeObject | 'unchanged' | undefined {
  const { kind } = registry;
  const old = object.metadata;
  const finalizers = finalizersFor(kind, object, options);
  const grace = gracePeriod(kind, object, options);
  const held = finalizers.length > 0 || specFinalizers(object).length > 0;
  if (grace <= 0 && !held) return undefined;

  const shortens = old.deletionTimestamp !== undefined && grace < (old.deletionGracePeriodSeconds ?? 0);
  const sameFinalizers = JSON.stringify(finalizers) === JSON.stringify(old.finalizers ?? []);
  if (old.deletionTimestamp !== undefined && !shortens && sameFinalizers) return 'unchanged';
  const metadata = { ...old };
  if (finalizers.length > 0) metadata.finalizers = finalizers;
  else delete metadata.finalizers;
  if (old.deletionTimestamp === undefined || shortens) {
    metadata.deletionTimestamp = formatTime(registry.now() + grace * 1000);
    metadata.deletionGracePeriodSeconds = grace;
    if (old.generation !== undefined) metadata.generation = old.generation + 1;
  }
  const draft: KubeObject = { ...object, metadata };
  if (kind.kind === 'Namespace') {
    const { status } = object as KubeObject & { status?: object };
    Object.assign(draft, { status: { ...status, phase: 'Terminating' } });
  }
  return draft;
}

/** Seconds to wait; an object that is deleted already keeps the shorter of its own and the asked one. */
function gracePeriod(kind: Kind, object: KubeObject, options: Deletion): number {
  if (!kind.gracePeriodSeconds) return 0;
  const byKind = kind.gracePeriodSeconds(object);
  // A kind that says 0 of this object (a Pod on no node, or one that has ended) does not wait, whatever was asked.
  const wanted = byKind === 0 ? 0 : Math.max(0, options.gracePeriodSeconds ?? byKind);
  const { deletionTimestamp, deletionGracePeriodSeconds } = object.metadata;
  if (deletionTimestamp === undefined) return wanted;
  if (options.gracePeriodSeconds === undefined && byKind !== 0) return deletionGracePeriodSeconds ?? wanted;
  return Math.min(wanted, deletionGracePeriodSeconds ?? wanted);
}

function finalizersFor(kind: Kind, object: KubeObject, options: Deletion): string[] {
  const present = [...(object.metadata.finalizers ?? [])];
  const policy = options.propagationPolicy ?? policyOf(options.orphanDependents);
  if (policy === undefined) return present;
  const rest = present.filter((finalizer) => finalizer !== orphan && finalizer !== foreground);
  if (kind.kind === 'Namespace' && kind.group === '') return present;
  if (policy === 'Orphan') return [...rest, orphan];
  if (policy === 'Foreground') return [...rest, foreground];
  return rest;
}

function policyOf(orphanDependents: boolean | undefined): string | undefined {
  if (orphanDependents === undefined) return undefined;
  return orphanDependents ? 'Orphan' : 'Background';
}

/** The answer to a deletion that took the object away at once. */
export function deletionStatus(kind: Kind, object: KubeObject): Status {
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Success',
    details: {
      name: object.metadata.name!,
      ...(kind.group ? { group: kind.group } : {}),
      kind: kind.plural,
      ...(object.metadata.uid ? { uid: object.metadata.uid } : {}),
    },
  };
}
