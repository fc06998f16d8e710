// apps/v1 DaemonSet.

import { applyPodSpecDefaults } from '../core/pod-defaults';
import type { IntOrString } from '../core/types';
import { ageColumn, defineKind } from '../define-kind';
import type { KubeObject } from '../meta';
import { formatLabels } from '../selectors';
import type { WorkloadSpec } from './workload';
import { templateColumns, validateSelectorUnchanged, validateWorkloadSpec } from './workload';

export interface DaemonSetSpec extends WorkloadSpec {
  updateStrategy?: { type?: string; rollingUpdate?: { maxUnavailable?: IntOrString; maxSurge?: IntOrString } };
  revisionHistoryLimit?: number;
}

export interface DaemonSetStatus {
  currentNumberScheduled: number;
  desiredNumberScheduled: number;
  numberMisscheduled: number;
  numberReady: number;
  updatedNumberScheduled?: number;
  numberAvailable?: number;
  numberUnavailable?: number;
  observedGeneration?: number;
}

export interface DaemonSet extends KubeObject {
  spec: DaemonSetSpec;
  status?: DaemonSetStatus;
}

const countColumns: [name: string, description: string, field: keyof DaemonSetStatus][] = [
  ['Desired', 'Nodes that should run the Pod.', 'desiredNumberScheduled'],
  ['Current', 'Nodes that have the Pod.', 'currentNumberScheduled'],
  ['Ready', 'Nodes whose Pod is ready.', 'numberReady'],
  ['Up-to-date', 'Nodes whose Pod is made from the current template.', 'updatedNumberScheduled'],
  ['Available', 'Nodes whose Pod is ready for at least minReadySeconds.', 'numberAvailable'],
];

export const daemonSetKind = defineKind<DaemonSet>({
  group: 'apps',
  version: 'v1',
  kind: 'DaemonSet',
  plural: 'daemonsets',
  shortNames: ['ds'],
  categories: ['all'],
  namespaced: true,
  schema: 'io.k8s.api.apps.v1.DaemonSet',
  hasStatus: true,
  hasGeneration: true,
  initialStatus: () => ({
    currentNumberScheduled: 0,
    desiredNumberScheduled: 0,
    numberMisscheduled: 0,
    numberReady: 0,
  }),
  applyDefaults({ spec }) {
    if (!spec) return;
    spec.updateStrategy ??= {};
    spec.updateStrategy.type ||= 'RollingUpdate';
    if (spec.updateStrategy.type === 'RollingUpdate') {
      spec.updateStrategy.rollingUpdate ??= {};
      spec.updateStrategy.rollingUpdate.maxUnavailable ??= 1;
      spec.updateStrategy.rollingUpdate.maxSurge ??= 0;
    }
    spec.revisionHistoryLimit ??= 10;
    if (spec.template?.spec) applyPodSpecDefaults(spec.template.spec);
  },
  validate: ({ spec }) => validateWorkloadSpec(spec, 'daemonset'),
  validateUpdate: ({ object, old }) => validateSelectorUnchanged(object.spec, old.spec),
  columns: [
    ...countColumns.map(([name, description, field]) => ({
      name,
      type: 'integer' as const,
      description,
      value: ({ status }: DaemonSet) => status?.[field] ?? 0,
    })),
    {
      name: 'Node Selector',
      type: 'string',
      description: 'Labels a node must have.',
      value: ({ spec }) => formatLabels(spec.template?.spec?.nodeSelector),
    },
    ageColumn,
    ...templateColumns,
  ],
});
