// What a ReplicaSet needs, from what it wants and the Pods it controls. Pure.

import {
  jsonEqual,
  labelMapMatcher,
  type Condition,
  type Pod,
  type ReplicaSet,
  type ReplicaSetStatus,
} from '../../api';
import { conditionOf, isActive, isAvailable, isReady, untilAvailable } from '../pod-state';
import { deletionOrder } from './deletion-order';

/** At most so many Pods are made or deleted in one reconcile. */
const burstReplicas = 500;

export interface ReplicaPlan {
  create: number;
  delete: Pod[];
}

/** `related`: the active Pods of all ReplicaSets of the same owner, for spreading deletions over nodes. */
export function planReplicas(set: ReplicaSet, pods: readonly Pod[], related: readonly Pod[], now: number): ReplicaPlan {
  const active = pods.filter(isActive);
  const missing = (set.spec.replicas ?? 1) - active.length;
  if (missing > 0) return { create: Math.min(missing, burstReplicas), delete: [] };
  const surplus = Math.min(-missing, burstReplicas);
  return { create: 0, delete: surplus === 0 ? [] : deletionOrder(active, related, now).slice(0, surplus) };
}

export interface ScaleFailure {
  reason: 'FailedCreate' | 'FailedDelete';
  message: string;
}

/** The status that follows from the Pods and from how the last scaling went. */
export function replicaSetStatus(
  set: ReplicaSet,
  pods: readonly Pod[],
  seen: { now: string; failure?: ScaleFailure },
): ReplicaSetStatus {
  const active = pods.filter(isActive);
  const now = Date.parse(seen.now);
  const templateLabels = set.spec.template.metadata?.labels ?? {};
  const hasTemplateLabels = labelMapMatcher(templateLabels);
  const conditions = (set.status?.conditions ?? []).filter(({ type }) => type !== 'ReplicaFailure');
  if (seen.failure) conditions.push(failureCondition(set, seen.failure, seen.now));
  const count = (test: (pod: Pod) => boolean) => active.filter(test).length;
  return {
    replicas: active.length,
    fullyLabeledReplicas: count(({ metadata }) => hasTemplateLabels(metadata.labels)),
    readyReplicas: count(isReady),
    availableReplicas: count((pod) => isAvailable(pod, set.spec.minReadySeconds ?? 0, now)),
    terminatingReplicas: pods.filter(({ metadata }) => metadata.deletionTimestamp).length,
    observedGeneration: set.metadata.generation,
    ...(conditions.length > 0 ? { conditions } : {}),
  };
}

function failureCondition(set: ReplicaSet, { reason, message }: ScaleFailure, now: string): Condition {
  const old = conditionOf(set.status?.conditions, 'ReplicaFailure');
  if (old?.reason === reason) return old;
  return { type: 'ReplicaFailure', status: 'True', lastTransitionTime: now, reason, message };
}

/** Whether `next` differs from what is written; a count of zero and one that is left out are the same. */
export function statusDiffers(set: ReplicaSet, next: ReplicaSetStatus): boolean {
  return !jsonEqual(withoutZeros(set.status ?? { replicas: 0 }), withoutZeros(next));
}

function withoutZeros(status: ReplicaSetStatus): Record<string, unknown> {
  return Object.fromEntries(Object.entries(status).filter(([, value]) => value !== 0 && value !== undefined));
}

/** Milliseconds until the next ready Pod becomes available; undefined when none is on its way. */
export function nextAvailability(set: ReplicaSet, pods: readonly Pod[], now: number): number | undefined {
  const waits = pods
    .filter(isActive)
    .map((pod) => untilAvailable(pod, set.spec.minReadySeconds ?? 0, now))
    .filter((wait) => wait !== undefined && wait > 0) as number[];
  return waits.length > 0 ? Math.min(...waits) : undefined;
}
