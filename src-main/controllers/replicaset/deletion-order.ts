// Which Pods a ReplicaSet gives up first when there are too many (upstream: ActivePodsWithRanks). Pure.

import type { Pod } from '../../api';
import { conditionOf, isReady } from '../pod-state';

const phaseOrder: Readonly<Record<string, number>> = { Pending: 0, Unknown: 1, Running: 2 };
const deletionCost = 'controller.kubernetes.io/pod-deletion-cost';

/** Sorted so that the first is given up first. `related` are the active Pods that share nodes with them. */
export function deletionOrder(pods: readonly Pod[], related: readonly Pod[], now: number): Pod[] {
  const perNode = new Map<string, number>();
  for (const { spec } of related) {
    if (spec.nodeName) perNode.set(spec.nodeName, (perNode.get(spec.nodeName) ?? 0) + 1);
  }
  const ranked = pods.map((pod) => ({ pod, keys: sortKeys(pod, perNode.get(pod.spec.nodeName ?? '') ?? 0, now) }));
  return ranked.sort((a, b) => compare(a.keys, b.keys)).map(({ pod }) => pod);
}

/** Smaller goes first, the earlier key decides. */
function sortKeys(pod: Pod, crowd: number, now: number): number[] {
  const { spec, status, metadata } = pod;
  const ready = isReady(pod);
  const readySince = Date.parse(conditionOf(status?.conditions, 'Ready')?.lastTransitionTime ?? '');
  return [
    spec.nodeName ? 1 : 0,
    phaseOrder[status?.phase ?? 'Pending'] ?? 1,
    ready ? 1 : 0,
    Number(metadata.annotations?.[deletionCost] ?? 0) || 0,
    -crowd,
    ready ? ageRank(readySince, now) : 0,
    -restarts(pod),
    ageRank(Date.parse(metadata.creationTimestamp ?? ''), now),
  ];
}

/** Ages are compared by their power of two, so that nearly equal ones leave room for the later keys. */
function ageRank(since: number, now: number): number {
  if (Number.isNaN(since)) return 0;
  return Math.floor(Math.log2(Math.max(1, now - since)));
}

function restarts({ status }: Pod): number {
  return Math.max(0, ...(status?.containerStatuses ?? []).map(({ restartCount }) => restartCount));
}

function compare(a: readonly number[], b: readonly number[]): number {
  for (const [index, value] of a.entries()) {
    if (value !== b[index]) return value - b[index]!;
  }
  return 0;
}
