// core/v1 Pod.

import { defineKind } from '../define-kind';
import { compareQuantities } from '../quantity';
import { podColumns } from './pod-columns';
import { allContainers, applyPodDefaults } from './pod-defaults';
import { validatePodUpdate } from './pod-update-validation';
import { validatePodSpec } from './pod-validation';
import type { Pod, PodSpec, Quantities } from './types';

const qosResources = ['cpu', 'memory'] as const;

function set(quantities: Quantities | undefined, name: string): string | undefined {
  const value = quantities?.[name];
  return value !== undefined && compareQuantities(value, 0) > 0 ? value : undefined;
}

/** Guaranteed, Burstable or BestEffort, from CPU and memory of all containers. */
export function qosClassOf(spec: PodSpec): string {
  const containers = allContainers({ ...spec, ephemeralContainers: [] });
  let any = false;
  let guaranteed = containers.length > 0;
  for (const { resources } of containers) {
    for (const name of qosResources) {
      const request = set(resources?.requests, name);
      const limit = set(resources?.limits, name);
      any ||= request !== undefined || limit !== undefined;
      guaranteed &&= limit !== undefined && (request === undefined || compareQuantities(request, limit) === 0);
    }
  }
  if (!any) return 'BestEffort';
  return guaranteed ? 'Guaranteed' : 'Burstable';
}

/** Seconds between asking a Pod to end and ending it; a Pod that runs nowhere (or no more) is deleted at once. */
function gracePeriodSeconds(pod: Pod): number {
  const ended = pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';
  return !pod.spec.nodeName || ended ? 0 : (pod.spec.terminationGracePeriodSeconds ?? 30);
}

export const podKind = defineKind<Pod>({
  group: '',
  version: 'v1',
  kind: 'Pod',
  plural: 'pods',
  shortNames: ['po'],
  categories: ['all'],
  namespaced: true,
  schema: 'io.k8s.api.core.v1.Pod',
  hasStatus: true,
  hasGeneration: true,
  statusKeepsLabels: false,
  subresources: [
    'attach',
    'binding',
    'ephemeralcontainers',
    'eviction',
    'exec',
    'log',
    'portforward',
    'proxy',
    'resize',
  ],
  applyDefaults: applyPodDefaults,
  prepareForCreate(pod) {
    pod.status = { phase: 'Pending', qosClass: qosClassOf(pod.spec) };
  },
  validate: (pod) => validatePodSpec(pod.spec, 'spec'),
  validateUpdate: ({ object, old }) => validatePodUpdate(object, old),
  selectableFields: {
    'spec.nodeName': (pod) => pod.spec.nodeName ?? '',
    'spec.restartPolicy': (pod) => pod.spec.restartPolicy ?? '',
    'spec.schedulerName': (pod) => pod.spec.schedulerName ?? '',
    'spec.serviceAccountName': (pod) => pod.spec.serviceAccountName ?? '',
    'spec.hostNetwork': (pod) => String(pod.spec.hostNetwork ?? false),
    'status.phase': (pod) => pod.status?.phase ?? '',
    'status.podIP': (pod) => pod.status?.podIPs?.[0]?.ip ?? pod.status?.podIP ?? '',
    'status.podIPs': (pod) => (pod.status?.podIPs ?? []).map(({ ip }) => ip).join(','),
    'status.nominatedNodeName': (pod) => pod.status?.nominatedNodeName ?? '',
  },
  columns: podColumns,
  gracePeriodSeconds,
});
