// A Deployment's ReplicaSets: which one is of the present template, how they are numbered and annotated. Pure.

import { type Deployment, type ReplicaSet, scaledValue } from '../../api';
import { sameTemplate } from './pod-template';

export const revisionAnnotation = 'deployment.kubernetes.io/revision';
export const revisionHistoryAnnotation = 'deployment.kubernetes.io/revision-history';
export const desiredAnnotation = 'deployment.kubernetes.io/desired-replicas';
export const maxAnnotation = 'deployment.kubernetes.io/max-replicas';
const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration';
const ownAnnotations = new Set([
  lastApplied,
  revisionAnnotation,
  revisionHistoryAnnotation,
  desiredAnnotation,
  maxAnnotation,
  'deprecated.deployment.rollback.to',
]);

export interface Rollout {
  deployment: Deployment;
  /** The ReplicaSet of the present template, when it is made already. */
  newSet: ReplicaSet | undefined;
  /** All others, oldest first. */
  oldSets: readonly ReplicaSet[];
}

/** Oldest first; the oldest of several with the present template is the new one, as upstream. */
export function rolloutOf(deployment: Deployment, sets: readonly ReplicaSet[]): Rollout {
  const sorted = sets.toSorted(byCreation);
  const newSet = sorted.find((set) => sameTemplate(set.spec.template, deployment.spec.template));
  return { deployment, newSet, oldSets: sorted.filter((set) => set !== newSet) };
}

function byCreation(a: ReplicaSet, b: ReplicaSet): number {
  const [first, second] = [a, b].map(({ metadata }) => `${metadata.creationTimestamp ?? ''} ${metadata.name ?? ''}`);
  return first! < second! ? -1 : first! > second! ? 1 : 0;
}

export function replicasOf(set: ReplicaSet | undefined): number {
  return set ? (set.spec.replicas ?? 1) : 0;
}

export function wantedReplicas({ spec }: Deployment): number {
  return spec.replicas ?? 1;
}

export function allSets({ newSet, oldSets }: Rollout): readonly ReplicaSet[] {
  return newSet ? [...oldSets, newSet] : oldSets;
}

export function sumReplicas(sets: readonly ReplicaSet[]): number {
  return sets.reduce((sum, set) => sum + replicasOf(set), 0);
}

export function sumAvailable(sets: readonly ReplicaSet[]): number {
  return sets.reduce((sum, set) => sum + (set.status?.availableReplicas ?? 0), 0);
}

/** How far the number of Pods may go over and under the wanted one. Never both zero: nothing could move. */
export function bounds(deployment: Deployment): { surge: number; unavailable: number } {
  if (isRecreate(deployment)) return { surge: 0, unavailable: 0 };
  const { maxSurge = '25%', maxUnavailable = '25%' } = deployment.spec.strategy?.rollingUpdate ?? {};
  const replicas = wantedReplicas(deployment);
  const surge = scaledValue(maxSurge, replicas, 'up');
  const unavailable = scaledValue(maxUnavailable, replicas, 'down');
  if (surge === 0 && unavailable === 0) return { surge, unavailable: 1 };
  return { surge, unavailable: Math.min(unavailable, replicas) };
}

export function isRecreate({ spec }: Deployment): boolean {
  return spec.strategy?.type === 'Recreate';
}

export function revisionOf(set: ReplicaSet): number {
  return Number(set.metadata.annotations?.[revisionAnnotation] ?? 0) || 0;
}

/** One more than any old revision. */
export function nextRevision({ oldSets, newSet }: Rollout): number {
  const last = Math.max(0, ...oldSets.map(revisionOf));
  return Math.max(last + 1, newSet ? revisionOf(newSet) : 0);
}

/** The annotations the new ReplicaSet must have: the Deployment's own (the change cause), revision and sizes. */
export function setAnnotations(rollout: Rollout): Record<string, string> {
  const { deployment, newSet } = rollout;
  const current = newSet?.metadata.annotations ?? {};
  const copied = Object.entries(deployment.metadata.annotations ?? {}).filter(([name]) => !ownAnnotations.has(name));
  const revision = String(nextRevision(rollout));
  const before = current[revisionAnnotation];
  const history = current[revisionHistoryAnnotation];
  const past = before && before !== revision ? [...(history ? [history] : []), before].join(',') : history;
  return {
    ...current,
    ...Object.fromEntries(copied),
    [revisionAnnotation]: revision,
    ...(past ? { [revisionHistoryAnnotation]: past } : {}),
    ...sizeAnnotations(deployment),
  };
}

/** Remembered on each active ReplicaSet, so that a later change of size can be told from a rollout. */
export function sizeAnnotations(deployment: Deployment): Record<string, string> {
  const replicas = wantedReplicas(deployment);
  return { [desiredAnnotation]: String(replicas), [maxAnnotation]: String(replicas + bounds(deployment).surge) };
}

/** Emptied old ReplicaSets beyond the history limit, oldest revision first. */
export function expiredSets({ deployment, oldSets }: Rollout): ReplicaSet[] {
  const limit = deployment.spec.revisionHistoryLimit ?? 10;
  const empty = oldSets.filter(
    ({ metadata, status, spec }) =>
      !metadata.deletionTimestamp &&
      (spec.replicas ?? 1) === 0 &&
      (status?.replicas ?? 0) === 0 &&
      (status?.observedGeneration ?? 0) >= (metadata.generation ?? 0),
  );
  // All old ones count towards the limit, those still in use too.
  const excess = oldSets.filter(({ metadata }) => !metadata.deletionTimestamp).length - limit;
  return empty.toSorted((a, b) => revisionOf(a) - revisionOf(b)).slice(0, Math.max(0, excess));
}
