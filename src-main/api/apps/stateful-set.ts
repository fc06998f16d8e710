// apps/v1 StatefulSet.

import { applyPodSpecDefaults } from '../core/pod-defaults';
import { ageColumn, defineKind } from '../define-kind';
import type { KubeObject } from '../meta';
import type { WorkloadSpec } from './workload';
import { templateColumns, validateSelectorUnchanged, validateWorkloadSpec, workloadScale } from './workload';

export interface StatefulSetSpec extends WorkloadSpec {
  serviceName?: string;
  podManagementPolicy?: string;
  updateStrategy?: { type?: string; rollingUpdate?: { partition?: number } };
  revisionHistoryLimit?: number;
  persistentVolumeClaimRetentionPolicy?: { whenDeleted?: string; whenScaled?: string };
  volumeClaimTemplates?: KubeObject[];
}

export interface StatefulSet extends KubeObject {
  spec: StatefulSetSpec;
  status?: { replicas?: number; readyReplicas?: number; observedGeneration?: number };
}

function applyDefaults({ spec }: StatefulSet): void {
  if (!spec) return;
  spec.podManagementPolicy ||= 'OrderedReady';
  spec.updateStrategy ??= {};
  spec.updateStrategy.type ||= 'RollingUpdate';
  if (spec.updateStrategy.type === 'RollingUpdate') {
    spec.updateStrategy.rollingUpdate ??= {};
    spec.updateStrategy.rollingUpdate.partition ??= 0;
  }
  spec.persistentVolumeClaimRetentionPolicy ??= {};
  spec.persistentVolumeClaimRetentionPolicy.whenDeleted ||= 'Retain';
  spec.persistentVolumeClaimRetentionPolicy.whenScaled ||= 'Retain';
  spec.replicas ??= 1;
  spec.revisionHistoryLimit ??= 10;
  if (spec.template?.spec) applyPodSpecDefaults(spec.template.spec);
}

export const statefulSetKind = defineKind<StatefulSet>({
  group: 'apps',
  version: 'v1',
  kind: 'StatefulSet',
  plural: 'statefulsets',
  shortNames: ['sts'],
  categories: ['all'],
  namespaced: true,
  schema: 'io.k8s.api.apps.v1.StatefulSet',
  hasStatus: true,
  hasGeneration: true,
  initialStatus: () => ({ replicas: 0 }),
  applyDefaults,
  validate: ({ spec }) => validateWorkloadSpec(spec, 'statefulset'),
  validateUpdate: ({ object, old }) => validateSelectorUnchanged(object.spec, old.spec),
  scale: workloadScale,
  columns: [
    {
      name: 'Ready',
      type: 'string',
      description: 'Ready Pods, of all that should be.',
      value: ({ spec, status }) => `${status?.readyReplicas ?? 0}/${spec.replicas ?? 0}`,
    },
    ageColumn,
    ...templateColumns.slice(0, 2),
  ],
});
