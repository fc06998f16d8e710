// core/v1 ReplicationController.

import { templateColumns, validatePodTemplate } from '../apps/workload';
import { ageColumn, defineKind } from '../define-kind';
import type { FieldError } from '../field-error';
import { fieldError } from '../field-error';
import type { KubeObject } from '../meta';
import { nonNegativeMessage } from '../names';
import { formatLabels, labelMapMatcher } from '../selectors';
import { applyPodSpecDefaults } from './pod-defaults';
import type { PodTemplateSpec } from './types';

export interface ReplicationController extends KubeObject {
  spec: {
    replicas?: number;
    minReadySeconds?: number;
    selector?: Record<string, string>;
    template?: PodTemplateSpec;
  };
  status?: { replicas: number; readyReplicas?: number; availableReplicas?: number; observedGeneration?: number };
}

function validate({ spec }: ReplicationController): FieldError[] {
  const errors: FieldError[] = [];
  if ((spec?.replicas ?? 0) < 0) errors.push(fieldError.invalid('spec.replicas', spec.replicas, nonNegativeMessage));
  if (Object.keys(spec?.selector ?? {}).length === 0) errors.push(fieldError.required('spec.selector'));
  if (!spec?.template) return [...errors, fieldError.required('spec.template')];
  const labels = spec.template.metadata?.labels;
  if (errors.length === 0 && !labelMapMatcher(spec.selector)(labels)) {
    const message = '`selector` does not match template `labels`';
    errors.push(fieldError.invalid('spec.template.metadata.labels', labels ?? {}, message));
  }
  return [...errors, ...validatePodTemplate(spec.template, 'spec.template')];
}

function applyDefaults(controller: ReplicationController): void {
  const { spec, metadata } = controller;
  if (!spec) return;
  const labels = spec.template?.metadata?.labels;
  // Upstream: both the selector and the controller's own labels come from the template when absent.
  if (labels && !spec.selector) spec.selector = { ...labels };
  if (labels && Object.keys(metadata.labels ?? {}).length === 0) metadata.labels = { ...labels };
  spec.replicas ??= 1;
  if (spec.template?.spec) applyPodSpecDefaults(spec.template.spec);
}

export const replicationControllerKind = defineKind<ReplicationController>({
  group: '',
  version: 'v1',
  kind: 'ReplicationController',
  plural: 'replicationcontrollers',
  shortNames: ['rc'],
  categories: ['all'],
  namespaced: true,
  schema: 'io.k8s.api.core.v1.ReplicationController',
  hasStatus: true,
  hasGeneration: true,
  initialStatus: () => ({ replicas: 0 }),
  applyDefaults,
  validate,
  scale: {
    specReplicas: ({ spec }) => spec.replicas ?? 0,
    setSpecReplicas({ spec }, replicas) {
      spec.replicas = replicas;
    },
    statusReplicas: ({ status }) => status?.replicas ?? 0,
    selector: ({ spec }) => (spec.selector ? formatLabels(spec.selector) : ''),
  },
  selectableFields: { 'status.replicas': ({ status }) => String(status?.replicas ?? 0) },
  columns: [
    { name: 'Desired', type: 'integer', description: 'Pods wanted.', value: ({ spec }) => spec.replicas ?? 0 },
    { name: 'Current', type: 'integer', description: 'Pods there are.', value: ({ status }) => status?.replicas ?? 0 },
    { name: 'Ready', type: 'integer', description: 'Pods ready.', value: ({ status }) => status?.readyReplicas ?? 0 },
    ageColumn,
    ...templateColumns.map((column) => ({
      ...column,
      value: ({ metadata, spec }: ReplicationController, now: number) => {
        if (column.name === 'Selector') return formatLabels(spec.selector);
        return column.value(
          { metadata, spec: { template: spec.template ?? { spec: { containers: [] } }, selector: {} } },
          now,
        );
      },
    })),
  ],
});
