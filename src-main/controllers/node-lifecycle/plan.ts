// What a node's silence and conditions mean: conditions become Unknown, and taints keep Pods away. Pure.

import { type Condition, formatTime, jsonEqual, type Node, type NodeCondition, type Pod, type Taint } from '../../api';
import { conditionOf } from '../pod-state';

const watched = ['Ready', 'MemoryPressure', 'DiskPressure', 'PIDPressure'];
const notReady = 'node.kubernetes.io/not-ready';
const unreachable = 'node.kubernetes.io/unreachable';
const unschedulable = 'node.kubernetes.io/unschedulable';
const pressures: Readonly<Record<string, string>> = {
  MemoryPressure: 'node.kubernetes.io/memory-pressure',
  DiskPressure: 'node.kubernetes.io/disk-pressure',
  PIDPressure: 'node.kubernetes.io/pid-pressure',
  NetworkUnavailable: 'node.kubernetes.io/network-unavailable',
};
const ours = new Set([notReady, unreachable, unschedulable, ...Object.values(pressures)]);

/** The conditions of a node that has stopped reporting. */
export function silentConditions(node: Node, now: number): NodeCondition[] {
  const time = formatTime(now);
  const conditions = node.status?.conditions ?? [];
  const unknown = watched.map((type): NodeCondition => {
    const before = conditionOf(conditions, type);
    if (before?.status === 'Unknown') return before;
    if (!before) {
      const message = 'Kubelet never posted node status.';
      const heartbeat = node.metadata.creationTimestamp;
      return {
        type,
        status: 'Unknown',
        reason: 'NodeStatusNeverUpdated',
        message,
        lastHeartbeatTime: heartbeat,
        lastTransitionTime: time,
      };
    }
    const message = 'Kubelet stopped posting node status.';
    return { ...before, status: 'Unknown', reason: 'NodeStatusUnknown', message, lastTransitionTime: time };
  });
  return [...conditions.filter(({ type }) => !watched.includes(type)), ...unknown];
}

/** The taints that follow from conditions and cordon; others stay, as do the times of those that are there. */
export function plannedTaints(node: Node, conditions: readonly NodeCondition[], now: number): Taint[] {
  const timeAdded = formatTime(now);
  const ready = conditionOf(conditions, 'Ready')?.status;
  const wanted: Taint[] = [];
  if (ready !== 'True') {
    const key = ready === 'False' ? notReady : unreachable;
    wanted.push({ key, effect: 'NoSchedule', timeAdded }, { key, effect: 'NoExecute', timeAdded });
  }
  for (const [type, key] of Object.entries(pressures)) {
    if (conditionOf(conditions, type)?.status === 'True') wanted.push({ key, effect: 'NoSchedule', timeAdded });
  }
  if (node.spec?.unschedulable) wanted.push({ key: unschedulable, effect: 'NoSchedule', timeAdded });
  const current = node.spec?.taints ?? [];
  const find = (taint: Taint) => current.find(({ key, effect }) => key === taint.key && effect === taint.effect);
  return [...current.filter(({ key }) => !ours.has(key)), ...wanted.map((taint) => find(taint) ?? taint)];
}

export function taintsDiffer(node: Node, next: readonly Taint[]): boolean {
  const sorted = (taints: readonly Taint[]) =>
    taints.map(({ key, value, effect }) => [key, value, effect].join()).sort();
  return !jsonEqual(sorted(node.spec?.taints ?? []), sorted(next));
}

/** The conditions of a Pod whose node does not answer; undefined when it is not ready anyway. */
export function unreadyConditions(pod: Pod, now: number): Condition[] | undefined {
  const conditions = pod.status?.conditions ?? [];
  if (conditionOf(conditions, 'Ready')?.status !== 'True') return undefined;
  return conditions.map((condition) =>
    condition.type === 'Ready' ? { ...condition, status: 'False', lastTransitionTime: formatTime(now) } : condition,
  );
}
