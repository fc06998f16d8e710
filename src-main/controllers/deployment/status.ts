// A Deployment's status: counts and the conditions Available, Progressing and ReplicaFailure, worded as upstream. Pure.

import {
  type Deployment,
  type DeploymentCondition,
  type DeploymentStatus,
  formatTime,
  jsonEqual,
  type ReplicaSet,
} from '../../api';
import { conditionOf } from '../pod-state';
import { allSets, bounds, type Rollout, sumAvailable, wantedReplicas } from './replica-sets';

/** A deadline of this many seconds means none. */
const noDeadline = 2_147_483_647;
const complete = 'NewReplicaSetAvailable';
const timedOut = 'ProgressDeadlineExceeded';

type Verdict = Pick<DeploymentCondition, 'type' | 'status' | 'reason' | 'message'>;

export interface RolloutFacts {
  now: number;
  /** The new ReplicaSet was made in this reconcile. */
  created?: ReplicaSet;
}

export function deploymentStatus(rollout: Rollout, facts: RolloutFacts): DeploymentStatus {
  const { deployment, newSet } = rollout;
  const sets = allSets(rollout);
  const sum = (read: (set: ReplicaSet) => number | undefined) =>
    sets.reduce((total, set) => total + (read(set) ?? 0), 0);
  const available = sumAvailable(sets);
  const counts: DeploymentStatus = {
    observedGeneration: deployment.metadata.generation,
    replicas: sum(({ status }) => status?.replicas),
    updatedReplicas: newSet?.status?.replicas ?? 0,
    readyReplicas: sum(({ status }) => status?.readyReplicas),
    availableReplicas: available,
    unavailableReplicas: Math.max(0, sum(({ spec }) => spec.replicas) - available),
    terminatingReplicas: sum(({ status }) => status?.terminatingReplicas),
    ...(deployment.status?.collisionCount ? { collisionCount: deployment.status.collisionCount } : {}),
  };
  const verdicts = [availability(deployment, available), progress(rollout, counts, facts), failure(rollout)].filter(
    (verdict) => verdict !== undefined,
  );
  return { ...counts, conditions: mergeConditions(deployment, verdicts, facts.now) };
}

function availability(deployment: Deployment, available: number): Verdict {
  if (available >= wantedReplicas(deployment) - bounds(deployment).unavailable) {
    const message = 'Deployment has minimum availability.';
    return { type: 'Available', status: 'True', reason: 'MinimumReplicasAvailable', message };
  }
  const message = 'Deployment does not have minimum availability.';
  return { type: 'Available', status: 'False', reason: 'MinimumReplicasUnavailable', message };
}

function failure(rollout: Rollout): Verdict | undefined {
  const failed = allSets(rollout)
    .toReversed()
    .map(({ status }) => conditionOf(status?.conditions, 'ReplicaFailure'))
    .find((condition) => condition?.status === 'True');
  if (!failed) return undefined;
  const { reason, message } = failed;
  return { type: 'ReplicaFailure', status: 'True', reason, message };
}

function progress(rollout: Rollout, next: DeploymentStatus, facts: RolloutFacts): Verdict | undefined {
  const { deployment, newSet } = rollout;
  const old = deployment.status ?? {};
  const current = conditionOf(old.conditions, 'Progressing');
  const type = 'Progressing';
  const verdict = (status: string, reason: string, message: string) => ({ type, status, reason, message });
  if ((deployment.spec.progressDeadlineSeconds ?? 600) === noDeadline) return undefined;
  if (deployment.spec.paused) {
    if (current?.reason === timedOut) return current;
    return verdict('Unknown', 'DeploymentPaused', 'Deployment is paused');
  }
  const name = newSet ? `ReplicaSet "${newSet.metadata.name}"` : `Deployment "${deployment.metadata.name}"`;
  if (facts.created) {
    return verdict('True', 'NewReplicaSetCreated', `Created new replica set "${facts.created.metadata.name}"`);
  }
  if (isComplete(deployment, next)) return verdict('True', complete, `${name} has successfully progressed.`);
  if (current?.reason === 'DeploymentPaused') return verdict('Unknown', 'DeploymentResumed', 'Deployment is resumed');
  if (hasProgressed(old, next)) return verdict('True', 'ReplicaSetUpdated', `${name} is progressing.`);
  if (!current && newSet) {
    return verdict('True', 'FoundNewReplicaSet', `Found new replica set "${newSet.metadata.name}"`);
  }
  if (current && untilDeadline(deployment, facts.now) === 0) {
    return verdict('False', timedOut, `${name} has timed out progressing.`);
  }
  return current;
}

/** Every wanted replica is of the new template and available, and no old one is left. */
export function isComplete(deployment: Deployment, status: DeploymentStatus): boolean {
  const wanted = wantedReplicas(deployment);
  return (
    status.updatedReplicas === wanted &&
    status.replicas === wanted &&
    status.availableReplicas === wanted &&
    (status.observedGeneration ?? 0) >= (deployment.metadata.generation ?? 0)
  );
}

function hasProgressed(old: DeploymentStatus, next: DeploymentStatus): boolean {
  const outdated = ({ replicas = 0, updatedReplicas = 0 }: DeploymentStatus) => replicas - updatedReplicas;
  return (
    (next.updatedReplicas ?? 0) > (old.updatedReplicas ?? 0) ||
    outdated(next) < outdated(old) ||
    (next.readyReplicas ?? 0) > (old.readyReplicas ?? 0) ||
    (next.availableReplicas ?? 0) > (old.availableReplicas ?? 0)
  );
}

/** Milliseconds until the rollout counts as stuck, 0 when it does; undefined when nothing is under way. */
export function untilDeadline(deployment: Deployment, now: number): number | undefined {
  const { progressDeadlineSeconds = 600, paused } = deployment.spec;
  const current = conditionOf(deployment.status?.conditions, 'Progressing');
  if (!current || paused || progressDeadlineSeconds === noDeadline || current.reason === complete) return undefined;
  if (current.reason === timedOut) return 0;
  const since = Date.parse(current.lastUpdateTime ?? current.lastTransitionTime ?? '');
  return Number.isNaN(since) ? undefined : Math.max(0, since + progressDeadlineSeconds * 1000 - now);
}

/** Times move only when something is said anew; other conditions stay, a ReplicaFailure that is over goes. */
function mergeConditions(deployment: Deployment, verdicts: Verdict[], now: number): DeploymentCondition[] {
  const old = deployment.status?.conditions ?? [];
  const time = formatTime(now);
  const said = verdicts.map((verdict): DeploymentCondition => {
    const { type, status, reason, message } = verdict;
    const before = conditionOf(old, type);
    const progressed = reason === 'ReplicaSetUpdated' && verdict !== before;
    if (before && before.status === status && before.reason === reason && !progressed) return before;
    const lastTransitionTime = before?.status === status ? before.lastTransitionTime : time;
    return { type, status, reason, message, lastUpdateTime: time, lastTransitionTime };
  });
  const kept = old.filter(
    ({ type }) => type !== 'ReplicaFailure' && !said.some((condition) => condition.type === type),
  );
  return [...kept, ...said];
}

/** Whether `next` differs from what is written; zero and absent are the same. */
export function statusDiffers({ status = {} }: Deployment, next: DeploymentStatus): boolean {
  const clean = (value: DeploymentStatus) =>
    Object.fromEntries(Object.entries(value).filter(([, member]) => member !== 0 && member !== undefined));
  return !jsonEqual(clean(status), clean(next));
}
