// The quality-of-service class of a Pod and what it means to the kernel's out-of-memory killer.

import type { Container, Pod } from '../../../api';
import { byteValue, quantityValue } from './quantity';

export type QosClass = 'Guaranteed' | 'Burstable' | 'BestEffort';

const considered = ['cpu', 'memory'];

export function qosClassOf(pod: Pod): QosClass {
  const containers = [...(pod.spec.initContainers ?? []), ...pod.spec.containers];
  let any = false;
  let guaranteed = true;
  for (const { resources } of containers) {
    for (const name of considered) {
      const limit = quantityValue(resources?.limits?.[name]) ?? 0;
      const request = quantityValue(resources?.requests?.[name]) ?? limit;
      if (limit > 0 || request > 0) any = true;
      if (limit <= 0 || request !== limit) guaranteed = false;
    }
  }
  if (!any) return 'BestEffort';
  return guaranteed ? 'Guaranteed' : 'Burstable';
}

/** Guaranteed −997, BestEffort 1000, Burstable in between by the share of the node's memory it asked for. */
export function oomScoreAdjustment(pod: Pod, container: Container, nodeMemory: number): number {
  const qos = qosClassOf(pod);
  if (qos === 'Guaranteed') return -997;
  if (qos === 'BestEffort') return 1000;
  const request = byteValue(container.resources?.requests?.memory) ?? 0;
  const score = Math.floor(1000 - (1000 * request) / Math.max(nodeMemory, 1));
  return Math.min(Math.max(score, 3), 999);
}
