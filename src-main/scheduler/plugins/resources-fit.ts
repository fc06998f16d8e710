// What a Pod asks for must be free on its node; the more stays free, the better the node (least allocated).

import type { NodeInfo } from '../cache';
import type { FilterPlugin, ScorePlugin } from '../framework';
import type { PodInfo } from '../pod-info';

export const resourcesFit: FilterPlugin & ScorePlugin = {
  name: 'NodeResourcesFit',
  weight: 1,
  wakesOn: ['node-added', 'node-changed', 'pod-removed'],
  filter({ requests }, { allocatable, requested, pods }) {
    const reasons: string[] = [];
    if (allocatable['pods'] !== undefined && pods.size + 1 > allocatable['pods']) reasons.push('Too many pods');
    for (const [name, amount] of Object.entries(requests)) {
      if (amount > 0 && amount > (allocatable[name] ?? 0) - (requested[name] ?? 0)) {
        reasons.push(`Insufficient ${name}`);
      }
    }
    return reasons;
  },
  /** The mean of the free shares of CPU and memory with the Pod on the node, 0 to 100. */
  score(pod, node) {
    return Math.floor((freeShare(pod, node, 'cpu') + freeShare(pod, node, 'memory')) / 2);
  },
};

function freeShare(pod: PodInfo, { allocatable, scoring }: NodeInfo, resource: string): number {
  const capacity = allocatable[resource] ?? 0;
  const used = (scoring[resource] ?? 0) + (pod.scoring[resource] ?? 0);
  return capacity === 0 || used > capacity ? 0 : Math.floor(((capacity - used) * 100) / capacity);
}

/** CPU and memory used in like proportion are better than one used up beside the other. */
export const balancedAllocation: ScorePlugin = {
  name: 'NodeResourcesBalancedAllocation',
  weight: 1,
  score({ requests }, { allocatable, requested }) {
    const share = (resource: string) => {
      const capacity = allocatable[resource] ?? 0;
      return capacity === 0 ? 1 : Math.min(1, ((requested[resource] ?? 0) + (requests[resource] ?? 0)) / capacity);
    };
    return Math.floor((1 - Math.abs(share('cpu') - share('memory')) / 2) * 100);
  },
};
