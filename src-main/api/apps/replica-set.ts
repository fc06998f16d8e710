// apps/v1 ReplicaSet.

import { applyPodSpecDefaults } from '../core/pod-defaults';
import { ageColumn, defineKind } from '../define-kind';
import type { ReplicaSet } from './types';
import { templateColumns, validateSelectorUnchanged, validateWorkloadSpec, workloadScale } from './workload';

export const replicaSetKind = defineKind<ReplicaSet>({
  group: 'apps',
  version: 'v1',
  kind: 'ReplicaSet',
  plural: 'replicasets',
  shortNames: ['rs'],
  categories: ['all'],
  namespaced: true,
  schema: 'io.k8s.api.apps.v1.ReplicaSet',
  hasStatus: true,
  hasGeneration: true,
  initialStatus: () => ({ replicas: 0 }),
  applyDefaults({ spec }) {
    if (!spec) return;
    spec.replicas ??= 1;
    if (spec.template?.spec) applyPodSpecDefaults(spec.template.spec);
  },
  validate: ({ spec }) => validateWorkloadSpec(spec, 'replicaset'),
  validateUpdate: ({ object, old }) => validateSelectorUnchanged(object.spec, old.spec),
  scale: workloadScale,
  selectableFields: { 'status.replicas': ({ status }) => String(status?.replicas ?? 0) },
  columns: [
    { name: 'Desired', type: 'integer', description: 'Pods wanted.', value: ({ spec }) => spec.replicas ?? 0 },
    { name: 'Current', type: 'integer', description: 'Pods there are.', value: ({ status }) => status?.replicas ?? 0 },
    { name: 'Ready', type: 'integer', description: 'Pods ready.', value: ({ status }) => status?.readyReplicas ?? 0 },
    ageColumn,
    ...templateColumns,
  ],
});
