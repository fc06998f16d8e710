// The Deployment controller: one ReplicaSet per Pod template, sized so that the newest takes over without leaving the
// bounds the strategy sets.

import {
  type Deployment,
  type DeploymentStatus,
  jsonEqual,
  labelSelectorMatcher,
  type Pod,
  type ReplicaSet,
  resources,
} from '../../api';
import { ApiError, controllerOf, controllerReference, nameOf, objectKey, referenceTo } from '../../client';
import { claim } from '../claim';
import {
  type ControllerContext,
  type ControllerDeclaration,
  mapped,
  type Outcome,
  owned,
  primary,
  type Reconciler,
} from '../engine';
import { isFinished } from '../pod-state';
import { initialReplicas, isScaling, planRecreate, planRollingUpdate, planScaling, type Resize } from './plan';
import { hashLabel, sameTemplate, templateHash } from './pod-template';
import {
  expiredSets,
  isRecreate,
  replicasOf,
  revisionAnnotation,
  type Rollout,
  rolloutOf,
  setAnnotations,
  sizeAnnotations,
} from './replica-sets';
import { deploymentStatus, isComplete, statusDiffers, untilDeadline } from './status';

const scalingReplicaSet = 'ScalingReplicaSet';
const replicaSetCreateError = 'ReplicaSetCreateError';

const type = { apiVersion: 'apps/v1', kind: 'Deployment' };

export const deploymentController: ControllerDeclaration = {
  name: 'deployment',
  component: 'deployment-controller',
  concurrency: 4,
  watches: () => [
    primary(resources.deployments),
    owned(resources.replicasets, 'Deployment'),
    // A ReplicaSet nobody controls concerns every Deployment that could adopt it.
    mapped<ReplicaSet>(resources.replicasets, ({ object }, { informers }) => {
      if (controllerOf(object)) return [];
      const deployments = informers.lister<Deployment>(resources.deployments).list(object.metadata.namespace);
      return deployments.filter((d) => labelSelectorMatcher(d.spec.selector)(object.metadata.labels)).map(objectKey);
    }),
    // Recreate waits for the last old Pod to be gone.
    mapped<Pod>(resources.pods, ({ object, deleted }, { informers }) => {
      const owner = controllerOf(object);
      if (!owner || !(deleted || isFinished(object))) return [];
      const { namespace } = object.metadata;
      const set = informers.lister<ReplicaSet>(resources.replicasets).get(`${namespace}/${owner.name}`);
      const name = set && controllerOf(set)?.name;
      return name ? [`${namespace}/${name}`] : [];
    }),
  ],
  create: (context) => new DeploymentReconciler(context),
};

class DeploymentReconciler implements Reconciler {
  constructor(private readonly context: ControllerContext) {}

  async reconcile(key: string): Promise<Outcome> {
    const { informers, client } = this.context;
    const deployment = informers.lister<Deployment>(resources.deployments).get(key);
    if (!deployment) return;
    const sets = await claim<ReplicaSet>({
      client,
      owner: deployment,
      ownerType: type,
      ownerResource: resources.deployments,
      resource: resources.replicasets,
      matches: labelSelectorMatcher(deployment.spec.selector),
      candidates: informers.lister<ReplicaSet>(resources.replicasets).list(deployment.metadata.namespace),
    });
    const rollout = rolloutOf(deployment, sets);
    if (deployment.metadata.deletionTimestamp) {
      await this.writeStatus(rollout);
      return;
    }
    if (deployment.spec.paused || isScaling(rollout)) {
      await this.resize(deployment, planScaling(rollout));
      if (deployment.spec.paused) await this.expire(rollout);
      const status = await this.writeStatus(rollout);
      return this.deadline(deployment, status);
    }
    return this.roll(rollout);
  }

  private async roll(rollout: Rollout): Promise<Outcome> {
    const { deployment } = rollout;
    if (isRecreate(deployment)) {
      const away = planRecreate(rollout);
      if (away.length > 0 || this.oldPodsRemain(rollout)) {
        await this.resize(deployment, away);
        const status = await this.writeStatus(rollout);
        return this.deadline(deployment, status);
      }
    }
    const { newSet, created } = await this.ensureNewSet(rollout);
    const current = { ...rollout, newSet };
    await this.noteRevision(deployment, newSet);
    // The set that was just made has its size already.
    if (!created) await this.resize(deployment, planRollingUpdate(current));
    const status = await this.writeStatus(current, created ? newSet : undefined);
    if (isComplete(deployment, status)) await this.expire(current);
    return this.deadline(deployment, status);
  }

  private deadline(deployment: Deployment, status: DeploymentStatus): Outcome {
    const left = untilDeadline({ ...deployment, status }, this.context.clock.now());
    return left ? { requeueAfterMs: left + 1000 } : undefined;
  }

  private oldPodsRemain({ deployment, oldSets }: Rollout): boolean {
    const old = new Set(oldSets.map(({ metadata }) => metadata.uid));
    const pods = this.context.informers.lister<Pod>(resources.pods).list(deployment.metadata.namespace);
    return pods.some((pod) => !isFinished(pod) && old.has(controllerOf(pod)?.uid));
  }

  private async ensureNewSet(rollout: Rollout): Promise<{ newSet: ReplicaSet | undefined; created: boolean }> {
    const { newSet, deployment } = rollout;
    if (!newSet) return this.createNewSet(rollout);
    const annotations = setAnnotations(rollout);
    const minReadySeconds = deployment.spec.minReadySeconds ?? 0;
    const upToDate =
      jsonEqual(annotations, newSet.metadata.annotations) && (newSet.spec.minReadySeconds ?? 0) === minReadySeconds;
    if (upToDate) return { newSet, created: false };
    const draft = {
      ...newSet,
      metadata: { ...newSet.metadata, annotations },
      spec: { ...newSet.spec, minReadySeconds },
    };
    return { newSet: await this.context.client.update(resources.replicasets, draft), created: false };
  }

  private async createNewSet(rollout: Rollout): Promise<{ newSet: ReplicaSet | undefined; created: boolean }> {
    const { deployment } = rollout;
    const { client, events } = this.context;
    const { namespace, name } = deployment.metadata;
    const { template, selector, minReadySeconds } = deployment.spec;
    const hash = templateHash(template, deployment.status?.collisionCount);
    const labels = { ...template.metadata?.labels, [hashLabel]: hash };
    const set: ReplicaSet = {
      apiVersion: 'apps/v1',
      kind: 'ReplicaSet',
      metadata: {
        name: `${name}-${hash}`,
        namespace,
        labels,
        annotations: setAnnotations(rollout),
        ownerReferences: [controllerReference(type, deployment)],
      },
      spec: {
        replicas: initialReplicas(rollout),
        ...(minReadySeconds === undefined ? {} : { minReadySeconds }),
        selector: { ...selector, matchLabels: { ...selector.matchLabels, [hashLabel]: hash } },
        template: { ...template, metadata: { ...template.metadata, labels } },
      },
    };
    try {
      const made = await client.create(resources.replicasets, set, { namespace });
      if (replicasOf(made) > 0) this.recordScaling(deployment, { set: made, replicas: replicasOf(made) }, 0);
      return { newSet: made, created: true };
    } catch (error) {
      if (ApiError.is(error, 'AlreadyExists')) return this.takeExisting(rollout, set, error);
      const message = `Failed to create new replica set "${set.metadata.name}": ${(error as Error).message}`;
      events.record(referenceTo(type, deployment), { type: 'Warning', reason: replicaSetCreateError, message });
      throw error;
    }
  }

  /** A set of the name is there: ours, not seen yet; or another's with the same hash, which asks for another hash. */
  private async takeExisting(
    { deployment }: Rollout,
    set: ReplicaSet,
    error: unknown,
  ): Promise<{ newSet: ReplicaSet; created: boolean }> {
    const { client } = this.context;
    const existing = await client.get<ReplicaSet>(resources.replicasets, nameOf(set));
    const ours = controllerOf(existing)?.uid === deployment.metadata.uid;
    if (ours && sameTemplate(existing.spec.template, deployment.spec.template)) {
      return { newSet: existing, created: false };
    }
    const status = { ...deployment.status, collisionCount: (deployment.status?.collisionCount ?? 0) + 1 };
    await client.update(resources.deployments, { ...deployment, status }, { subresource: 'status' });
    throw error;
  }

  private async noteRevision(deployment: Deployment, newSet: ReplicaSet | undefined): Promise<void> {
    const revision = newSet?.metadata.annotations?.[revisionAnnotation];
    if (!revision || deployment.metadata.annotations?.[revisionAnnotation] === revision) return;
    const body = { metadata: { annotations: { [revisionAnnotation]: revision } } };
    await this.context.client.patch(resources.deployments, nameOf(deployment), { type: 'merge', body });
  }

  private async resize(deployment: Deployment, plan: readonly Resize[]): Promise<void> {
    for (const step of plan) {
      const { set, replicas } = step;
      const annotations = { ...set.metadata.annotations, ...sizeAnnotations(deployment) };
      const draft = { ...set, metadata: { ...set.metadata, annotations }, spec: { ...set.spec, replicas } };
      await this.context.client.update(resources.replicasets, draft);
      if (replicas !== replicasOf(set)) this.recordScaling(deployment, step, replicasOf(set));
    }
  }

  private recordScaling(deployment: Deployment, { set, replicas }: Resize, from: number): void {
    const direction = replicas > from ? 'up' : 'down';
    const message = `Scaled ${direction} replica set ${set.metadata.name} from ${from} to ${replicas}`;
    this.context.events.record(referenceTo(type, deployment), { type: 'Normal', reason: scalingReplicaSet, message });
  }

  private async expire(rollout: Rollout): Promise<void> {
    for (const set of expiredSets(rollout)) {
      const preconditions = { uid: set.metadata.uid };
      await this.context.client.delete(resources.replicasets, nameOf(set), { preconditions });
    }
  }

  private async writeStatus(rollout: Rollout, created?: ReplicaSet): Promise<DeploymentStatus> {
    const { client, clock } = this.context;
    const { deployment } = rollout;
    const next = deploymentStatus(rollout, { now: clock.now(), created });
    if (statusDiffers(deployment, next)) {
      const body = { metadata: { uid: deployment.metadata.uid }, status: next };
      const target = nameOf(deployment);
      await client.patch(resources.deployments, target, { type: 'merge', subresource: 'status', body });
    }
    return next;
  }
}
