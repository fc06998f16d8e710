// How far a Deployment has come on its way to what was asked of it.

import type { Deployment, KubeObject, LabelSelector } from '../../src-main/api';
import type { Tone } from './tone';

export interface DeploymentSummary {
  wanted: number;
  current: number;
  updated: number;
  ready: number;
  available: number;
  /** `settled` when every count equals what is wanted and the controller has seen the latest spec. */
  state: 'settled' | 'progressing' | 'failed' | 'paused';
  tone: Tone;
}

export function summarizeDeployment(deployment: Deployment): DeploymentSummary {
  const { spec, status } = deployment;
  const wanted = spec.replicas ?? 1;
  const counts = {
    wanted,
    current: status?.replicas ?? 0,
    updated: status?.updatedReplicas ?? 0,
    ready: status?.readyReplicas ?? 0,
    available: status?.availableReplicas ?? 0,
  };
  const seen = (status?.observedGeneration ?? 0) >= (deployment.metadata.generation ?? 0);
  const equal = [counts.current, counts.updated, counts.ready, counts.available].every((count) => count === wanted);
  const progressing = status?.conditions?.find((condition) => condition.type === 'Progressing');
  const failure = status?.conditions?.find((condition) => condition.type === 'ReplicaFailure');
  const failed = progressing?.reason === 'ProgressDeadlineExceeded' || failure?.status === 'True';
  if (seen && equal) return { ...counts, state: 'settled', tone: 'ok' };
  if (failed) return { ...counts, state: 'failed', tone: 'bad' };
  if (spec.paused) return { ...counts, state: 'paused', tone: 'warn' };
  return { ...counts, state: 'progressing', tone: 'progress' };
}

/** Whether `labels` satisfy a label selector. */
export function matchesSelector(selector: LabelSelector | undefined, labels: Record<string, string> = {}): boolean {
  if (!selector) return false;
  const exact = Object.entries(selector.matchLabels ?? {}).every(([key, value]) => labels[key] === value);
  return (
    exact &&
    (selector.matchExpressions ?? []).every(({ key, operator, values = [] }) => {
      const value = labels[key];
      if (operator === 'Exists') return value !== undefined;
      if (operator === 'DoesNotExist') return value === undefined;
      const listed = value !== undefined && values.includes(value);
      return operator === 'In' ? listed : !listed;
    })
  );
}

/** Whether `owner` controls `object`. */
export function isOwnedBy(object: KubeObject, owner: KubeObject): boolean {
  return (object.metadata.ownerReferences ?? []).some((reference) => reference.uid === owner.metadata.uid);
}
