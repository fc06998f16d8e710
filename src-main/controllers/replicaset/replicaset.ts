// The ReplicaSet controller: keeps as many Pods of a template as the ReplicaSet asks for.

import { formatTime, labelSelectorMatcher, resources, type Pod, type ReplicaSet } from '../../api';
import { ApiError, controllerOf, controllerReference, nameOf, objectKey, referenceTo } from '../../client';
import { messageOf } from '../../kit';
import { claim } from '../claim';
import {
  type ControllerContext,
  type ControllerDeclaration,
  Expectations,
  mapped,
  type Outcome,
  owned,
  primary,
  type Reconciler,
} from '../engine';
import { isActive } from '../pod-state';
import { slowStart } from '../slow-start';
import {
  nextAvailability,
  planReplicas,
  type ReplicaPlan,
  replicaSetStatus,
  type ScaleFailure,
  statusDiffers,
} from './plan';

const successfulCreate = 'SuccessfulCreate';
const failedCreate = 'FailedCreate';
const successfulDelete = 'SuccessfulDelete';
const failedDelete = 'FailedDelete';

const type = { apiVersion: 'apps/v1', kind: 'ReplicaSet' };
/** Names of Pods are `NAME-xxxxx`; the API server adds the five letters. */
const maxBaseName = 247;
/** When the lister lags behind our own writes its next event wakes us; this is the safety net. */
const lagRecheckMs = 30_000;

export const replicaSetController: ControllerDeclaration = {
  name: 'replicaset',
  component: 'replicaset-controller',
  concurrency: 4,
  watches: () => [
    primary(resources.replicasets),
    owned(resources.pods, 'ReplicaSet'),
    // A Pod nobody controls concerns every ReplicaSet that could adopt it.
    mapped<Pod>(resources.pods, ({ object }, { informers }) => {
      if (controllerOf(object)) return [];
      const sets = informers.lister<ReplicaSet>(resources.replicasets).list(object.metadata.namespace);
      return sets.filter((set) => labelSelectorMatcher(set.spec.selector)(object.metadata.labels)).map(objectKey);
    }),
  ],
  create: (context) => new ReplicaSetReconciler(context),
};

class ReplicaSetReconciler implements Reconciler {
  private readonly expectations: Expectations<Pod>;

  constructor(private readonly context: ControllerContext) {
    this.expectations = new Expectations(context.informers.informer<Pod>(resources.pods), context.clock);
  }

  async reconcile(key: string): Promise<Outcome> {
    const { informers, clock, client } = this.context;
    const set = informers.lister<ReplicaSet>(resources.replicasets).get(key);
    if (!set) {
      this.expectations.forget(key);
      return;
    }
    const pods = await claim<Pod>({
      client,
      owner: set,
      ownerType: type,
      ownerResource: resources.replicasets,
      resource: resources.pods,
      matches: labelSelectorMatcher(set.spec.selector),
      candidates: informers.lister<Pod>(resources.pods).list(set.metadata.namespace),
    });
    const settled = this.expectations.satisfied(key);
    let failure: ScaleFailure | undefined;
    let error: unknown;
    if (settled && !set.metadata.deletionTimestamp) {
      const plan = planReplicas(set, pods, this.related(set), clock.now());
      ({ failure, error } = await this.scale(key, set, plan));
    }
    await this.writeStatus(set, pods, failure);
    if (error) throw error;
    const wait = nextAvailability(set, pods, clock.now()) ?? (settled ? undefined : lagRecheckMs);
    return wait === undefined ? undefined : { requeueAfterMs: wait };
  }

  /** Active Pods of every ReplicaSet with the same owner: of an old and a new revision of one Deployment. */
  private related(set: ReplicaSet): Pod[] {
    const { informers } = this.context;
    const owner = controllerOf(set)?.uid;
    const sets = informers.lister<ReplicaSet>(resources.replicasets).list(set.metadata.namespace);
    const family = new Set(
      sets.filter((other) => other === set || (owner && controllerOf(other)?.uid === owner)).map((s) => s.metadata.uid),
    );
    const pods = informers.lister<Pod>(resources.pods).list(set.metadata.namespace);
    return pods.filter((pod) => isActive(pod) && family.has(controllerOf(pod)?.uid));
  }

  private async scale(
    key: string,
    set: ReplicaSet,
    plan: ReplicaPlan,
  ): Promise<{ failure?: ScaleFailure; error?: unknown }> {
    const created = await slowStart(plan.create, () => this.createPod(key, set));
    if (created.failure) {
      const { error } = created.failure;
      return { error, failure: { reason: failedCreate, message: messageOf(error) } };
    }
    const deletions = await Promise.allSettled(plan.delete.map((pod) => this.deletePod(key, set, pod)));
    const failed = deletions.find((result) => result.status === 'rejected');
    if (!failed) return {};
    return { error: failed.reason, failure: { reason: failedDelete, message: messageOf(failed.reason) } };
  }

  private async createPod(key: string, set: ReplicaSet): Promise<void> {
    const { client, events } = this.context;
    const { metadata = {}, spec } = set.spec.template;
    const { labels, annotations, finalizers } = metadata;
    const pod: Pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {
        generateName: `${set.metadata.name!.slice(0, maxBaseName)}-`,
        namespace: set.metadata.namespace,
        ...(labels ? { labels } : {}),
        ...(annotations ? { annotations } : {}),
        ...(finalizers ? { finalizers } : {}),
        ownerReferences: [controllerReference(type, set)],
      },
      spec,
    };
    try {
      const made = await client.create(resources.pods, pod, { namespace: set.metadata.namespace });
      this.expectations.created(key, made);
      events.record(referenceTo(type, set), {
        type: 'Normal',
        reason: successfulCreate,
        message: `Created pod: ${made.metadata.name}`,
      });
    } catch (error) {
      const message = `Error creating: ${messageOf(error)}`;
      events.record(referenceTo(type, set), { type: 'Warning', reason: failedCreate, message });
      throw error;
    }
  }

  private async deletePod(key: string, set: ReplicaSet, pod: Pod): Promise<void> {
    const { client, events } = this.context;
    const about = referenceTo(type, set);
    try {
      await client.delete(resources.pods, nameOf(pod), { preconditions: { uid: pod.metadata.uid } });
    } catch (error) {
      if (ApiError.is(error, 'NotFound')) return;
      const message = `Error deleting: ${messageOf(error)}`;
      events.record(about, { type: 'Warning', reason: failedDelete, message });
      throw error;
    }
    this.expectations.deleted(key, pod);
    events.record(about, {
      type: 'Normal',
      reason: successfulDelete,
      message: `Deleted pod: ${pod.metadata.name}`,
    });
  }

  private async writeStatus(set: ReplicaSet, pods: readonly Pod[], failure?: ScaleFailure): Promise<void> {
    const { client, clock } = this.context;
    const next = replicaSetStatus(set, pods, { now: formatTime(clock.now()), failure });
    if (!statusDiffers(set, next)) return;
    await client.update(resources.replicasets, { ...set, status: next }, { subresource: 'status' });
  }
}
