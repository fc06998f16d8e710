// What a Node's row says, and what of it is spoken for.

import type { Node, Pod } from '../../src-main/api';
import { parseQuantity } from '../format/quantity';
import type { Tone } from './tone';

const rolePrefix = 'node-role.kubernetes.io/';

export interface NodeSummary {
  status: string;
  tone: Tone;
  ready: boolean;
  roles: string[];
  address: string;
}

export function summarizeNode(node: Node): NodeSummary {
  const condition = node.status?.conditions?.find((item) => item.type === 'Ready');
  const ready = condition?.status === 'True';
  const unknown = condition?.status === 'Unknown';
  const words = [ready ? 'Ready' : unknown ? 'Unknown' : 'NotReady'];
  if (node.spec?.unschedulable) words.push('SchedulingDisabled');
  const roles = Object.keys(node.metadata.labels ?? {})
    .filter((label) => label.startsWith(rolePrefix))
    .map((label) => label.slice(rolePrefix.length));
  const address = node.status?.addresses?.find((item) => item.type === 'InternalIP')?.address ?? '';
  const tone: Tone = ready ? (node.spec?.unschedulable ? 'warn' : 'ok') : 'bad';
  return { status: words.join(','), tone, ready, roles, address };
}

export interface Usage {
  requested: number;
  allocatable: number;
}

export interface Resources {
  cpu: Usage;
  memory: Usage;
  pods: Usage;
}

function finished(pod: Pod): boolean {
  return pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';
}

/** What running Pods request of a resource: the larger of the sum of containers and the largest init container. */
function requestOf(pod: Pod, resource: string): number {
  const of = (container: { resources?: { requests?: Record<string, string> } }) =>
    parseQuantity(container.resources?.requests?.[resource]);
  const sum = pod.spec.containers.reduce((total, container) => total + of(container), 0);
  return Math.max(sum, ...(pod.spec.initContainers ?? []).map(of));
}

/** Requests of the Pods bound to these nodes against what the nodes offer. */
export function resourcesOf(nodes: readonly Node[], pods: readonly Pod[]): Resources {
  const names = new Set(nodes.map((node) => node.metadata.name));
  const bound = pods.filter((pod) => names.has(pod.spec.nodeName) && !finished(pod));
  const offered = (resource: string) =>
    nodes.reduce((sum, node) => sum + parseQuantity(node.status?.allocatable?.[resource]), 0);
  const requested = (resource: string) => bound.reduce((sum, pod) => sum + requestOf(pod, resource), 0);
  return {
    cpu: { requested: requested('cpu'), allocatable: offered('cpu') },
    memory: { requested: requested('memory'), allocatable: offered('memory') },
    pods: { requested: bound.length, allocatable: offered('pods') },
  };
}
