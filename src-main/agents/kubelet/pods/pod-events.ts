// The events a kubelet tells about a Pod. Reasons are upstream's; `container` names the part of the Pod meant.

import type { Pod } from '../../../api';

export interface PodEvent {
  type: 'Normal' | 'Warning';
  reason: string;
  message: string;
  /** fieldPath of the involved object, e.g. spec.containers{web}. */
  fieldPath?: string;
}

export type TellPodEvent = (pod: Pod, event: PodEvent) => void;

/** spec.containers{NAME} or spec.initContainers{NAME}. */
export function fieldPathOf(pod: Pod, container: string): string {
  const init = pod.spec.initContainers?.some((entry) => entry.name === container);
  return `spec.${init ? 'initContainers' : 'containers'}{${container}}`;
}
