// Which ReplicaSets of a Deployment change size next. Pure: a snapshot in, sizes out; each rule is upstream's.

import type { Deployment, ReplicaSet } from '../../api';
import {
  allSets,
  bounds,
  desiredAnnotation,
  isRecreate,
  maxAnnotation,
  replicasOf,
  type Rollout,
  sumAvailable,
  sumReplicas,
  wantedReplicas,
} from './replica-sets';

export interface Resize {
  set: ReplicaSet;
  replicas: number;
}

/** The size a new ReplicaSet starts with: as many as may be added without exceeding the surge. */
export function initialReplicas({ deployment, oldSets }: Rollout): number {
  const wanted = wantedReplicas(deployment);
  if (isRecreate(deployment)) return wanted;
  const room = wanted + bounds(deployment).surge - sumReplicas(oldSets);
  return Math.max(0, Math.min(wanted, room));
}

/** One step of a rolling update: first the new ReplicaSet grows (or shrinks), then old ones give way. */
export function planRollingUpdate(rollout: Rollout): Resize[] {
  const { deployment, newSet } = rollout;
  if (!newSet) return [];
  const wanted = wantedReplicas(deployment);
  const current = replicasOf(newSet);
  if (current > wanted) return [{ set: newSet, replicas: wanted }];
  const room = wanted + bounds(deployment).surge - sumReplicas(allSets(rollout));
  const grow = Math.min(room, wanted - current);
  if (grow > 0) return [{ set: newSet, replicas: current + grow }];
  return shrinkOld(rollout, newSet);
}

function shrinkOld(rollout: Rollout, newSet: ReplicaSet): Resize[] {
  const { deployment, oldSets } = rollout;
  const old = oldSets.filter((set) => replicasOf(set) > 0);
  if (old.length === 0) return [];
  const minAvailable = wantedReplicas(deployment) - bounds(deployment).unavailable;
  const newUnavailable = replicasOf(newSet) - (newSet.status?.availableReplicas ?? 0);
  const removable = sumReplicas(allSets(rollout)) - minAvailable - newUnavailable;
  if (removable <= 0) return [];
  const sizes = new Map(old.map((set) => [set, replicasOf(set)]));
  dropUnhealthy(sizes, removable);
  const spare = sumAvailable(allSets(rollout)) - minAvailable;
  dropAvailable(sizes, Math.min(spare, removable));
  return changes(sizes);
}

/** Pods that do not serve are given up first: that costs no availability. */
function dropUnhealthy(sizes: Map<ReplicaSet, number>, budget: number): void {
  let left = budget;
  for (const [set, replicas] of sizes) {
    const unhealthy = Math.max(0, replicas - (set.status?.availableReplicas ?? 0));
    const drop = Math.min(left, unhealthy);
    sizes.set(set, replicas - drop);
    left -= drop;
  }
}

function dropAvailable(sizes: Map<ReplicaSet, number>, budget: number): void {
  let left = budget;
  for (const [set, replicas] of sizes) {
    if (left <= 0) return;
    const drop = Math.min(left, replicas);
    sizes.set(set, replicas - drop);
    left -= drop;
  }
}

/** Recreate: everything old goes first. */
export function planRecreate({ oldSets }: Rollout): Resize[] {
  return oldSets.filter((set) => replicasOf(set) > 0).map((set) => ({ set, replicas: 0 }));
}

/** Whether the wanted number changed since the active ReplicaSets were last sized. */
export function isScaling(rollout: Rollout): boolean {
  return allSets(rollout).some((set) => replicasOf(set) > 0 && isSizedForAnother(rollout.deployment, set));
}

function isSizedForAnother(deployment: Deployment, set: ReplicaSet): boolean {
  const desired = set.metadata.annotations?.[desiredAnnotation];
  return desired !== undefined && desired !== String(wantedReplicas(deployment));
}

/**
 * Sizes for a changed number of replicas, or while paused: what is rolling keeps its proportions. A set that keeps its
 * size but was sized for another number is named too, so that its annotation follows.
 */
export function planScaling(rollout: Rollout): Resize[] {
  const { deployment, newSet, oldSets } = rollout;
  const wanted = wantedReplicas(deployment);
  const active = allSets(rollout).filter((set) => replicasOf(set) > 0);
  if (active.length <= 1) {
    const only = active[0] ?? newSet ?? oldSets.at(-1);
    const fits = !only || (replicasOf(only) === wanted && !isSizedForAnother(deployment, only));
    return fits ? [] : [{ set: only, replicas: wanted }];
  }
  if (isRecreate(deployment) || (newSet && isSaturated(deployment, newSet))) return planRecreate(rollout);
  return proportional(deployment, active);
}

function isSaturated(deployment: Deployment, set: ReplicaSet): boolean {
  const wanted = wantedReplicas(deployment);
  const desired = Number(set.metadata.annotations?.[desiredAnnotation] ?? NaN);
  return replicasOf(set) === wanted && desired === wanted && set.status?.availableReplicas === wanted;
}

function proportional(deployment: Deployment, active: readonly ReplicaSet[]): Resize[] {
  const wanted = wantedReplicas(deployment);
  const allowed = wanted > 0 ? wanted + bounds(deployment).surge : 0;
  const total = allowed - sumReplicas(active);
  // Largest first; of equal ones the newest gains and the oldest loses.
  const sorted = active
    .map((set, age) => ({ set, age }))
    .sort((a, b) => replicasOf(b.set) - replicasOf(a.set) || (total > 0 ? b.age - a.age : a.age - b.age));
  const sizes = new Map<ReplicaSet, number>();
  let given = 0;
  for (const { set } of sorted) {
    const share = shareOf(set, deployment, allowed);
    const left = total - given;
    const delta = total > 0 ? Math.max(0, Math.min(share, left)) : Math.min(0, Math.max(share, left));
    given += delta;
    sizes.set(set, replicasOf(set) + delta);
  }
  const first = sorted[0]!.set;
  sizes.set(first, Math.max(0, sizes.get(first)! + total - given));
  const resizes = [...sizes].map(([set, replicas]) => ({ set, replicas }));
  return resizes.filter(({ set, replicas }) => replicas !== replicasOf(set) || isSizedForAnother(deployment, set));
}

/** How much one ReplicaSet's size changes when all change alike. */
function shareOf(set: ReplicaSet, deployment: Deployment, allowed: number): number {
  const current = replicasOf(set);
  if (wantedReplicas(deployment) === 0) return -current;
  const before = Number(set.metadata.annotations?.[maxAnnotation]) || deployment.status?.replicas || current;
  return Math.round((current * allowed) / before) - current;
}

function changes(sizes: ReadonlyMap<ReplicaSet, number>): Resize[] {
  return [...sizes]
    .filter(([set, replicas]) => replicas !== replicasOf(set))
    .map(([set, replicas]) => ({ set, replicas }));
}
