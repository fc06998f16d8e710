// Empties a namespace that is being deleted, kind by kind, and lets it go when nothing is left in it.

import { type Condition, formatTime, jsonEqual, type Namespace, resources } from '../../api';
import { ApiError, nameOf } from '../../client';
import { messageOf } from '../../kit';
import {
  type ControllerContext,
  type ControllerDeclaration,
  type Outcome,
  primary,
  type Reconciler,
  type ServedKind,
} from '../engine';
import { contentConditions, type Remainder } from './conditions';

const finalizer = 'kubernetes';
/** Pods end within their grace period; others are gone at once unless a finalizer holds them. */
const recheckMs = 1000;

export const namespaceController: ControllerDeclaration = {
  name: 'namespace',
  component: 'namespace-controller',
  watches: () => [primary(resources.namespaces)],
  create: (context) => new NamespaceReconciler(context),
};

class NamespaceReconciler implements Reconciler {
  constructor(private readonly context: ControllerContext) {}

  async reconcile(key: string): Promise<Outcome> {
    const { informers, client } = this.context;
    const namespace = informers.lister<Namespace>(resources.namespaces).get(key);
    if (!namespace?.metadata.deletionTimestamp || !namespace.spec?.finalizers?.includes(finalizer)) return;
    const { remaining, failures } = await this.empty(key);
    if (remaining.length > 0 || failures.length > 0) {
      await this.writeConditions(namespace, remaining, failures);
      return { requeueAfterMs: recheckMs };
    }
    const finalizers = namespace.spec.finalizers.filter((name) => name !== finalizer);
    const draft = { ...namespace, spec: { ...namespace.spec, finalizers } };
    try {
      await client.update(resources.namespaces, draft, { subresource: 'finalize' });
    } catch (error) {
      if (!ApiError.is(error, 'NotFound')) throw error;
    }
  }

  /** Deletes what is there; what is still there afterwards is told by kind. Read live: the lister may lag. */
  private async empty(namespace: string): Promise<{ remaining: Remainder[]; failures: string[] }> {
    const remaining: Remainder[] = [];
    const failures: string[] = [];
    for (const kind of this.context.settings.kinds.filter(({ namespaced }) => namespaced)) {
      try {
        const left = await this.emptyKind(namespace, kind);
        if (left) remaining.push(left);
      } catch (error) {
        failures.push(`${kind.plural}: ${messageOf(error)}`);
      }
    }
    return { remaining, failures };
  }

  private async emptyKind(namespace: string, kind: ServedKind): Promise<Remainder | undefined> {
    const { client } = this.context;
    const { items } = await client.list(kind, { namespace });
    if (items.length === 0) return undefined;
    for (const item of items.filter(({ metadata }) => !metadata.deletionTimestamp)) {
      try {
        const preconditions = { uid: item.metadata.uid };
        await client.delete(kind, nameOf(item), { propagationPolicy: 'Background', preconditions });
      } catch (error) {
        // Someone else deleted or replaced it: the next look tells.
        if (!ApiError.is(error, 'NotFound') && !ApiError.is(error, 'Conflict')) throw error;
      }
    }
    const { items: left } = await client.list(kind, { namespace });
    const finalizers = left.flatMap(({ metadata }) => metadata.finalizers ?? []);
    return left.length === 0 ? undefined : { kind, count: left.length, finalizers };
  }

  private async writeConditions(namespace: Namespace, remaining: Remainder[], failures: string[]): Promise<void> {
    const time = formatTime(this.context.clock.now());
    const old = namespace.status?.conditions ?? [];
    const conditions = contentConditions(remaining, failures).map((condition): Condition => {
      const before = old.find(({ type }) => type === condition.type);
      const lastTransitionTime = before?.status === condition.status ? before?.lastTransitionTime : time;
      return { ...condition, lastTransitionTime };
    });
    if (jsonEqual(conditions, old)) return;
    const body = { status: { phase: 'Terminating', conditions } };
    const { client } = this.context;
    await client.patch(resources.namespaces, nameOf(namespace), { type: 'merge', subresource: 'status', body });
  }
}
