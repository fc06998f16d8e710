// apps/v1 Deployment.

import { applyPodSpecDefaults } from '../core/pod-defaults';
import type { IntOrString } from '../core/types';
import { ageColumn, defineKind } from '../define-kind';
import type { FieldError } from '../field-error';
import { fieldError } from '../field-error';
import { isPercentage } from '../int-or-string';
import { nonNegativeMessage, patternMessage } from '../names';
import type { Deployment, DeploymentSpec } from './types';
import { templateColumns, validateSelectorUnchanged, validateWorkloadSpec, workloadScale } from './workload';

const percentMessage = patternMessage(
  "a valid percent string must be a numeric string followed by an ending '%'",
  '[0-9]+%',
  '1%',
  '93%',
);

function applyDefaults({ spec }: Deployment): void {
  if (!spec) return;
  spec.replicas ??= 1;
  const strategy = (spec.strategy ??= {});
  strategy.type ||= 'RollingUpdate';
  if (strategy.type === 'RollingUpdate') {
    strategy.rollingUpdate ??= {};
    strategy.rollingUpdate.maxUnavailable ??= '25%';
    strategy.rollingUpdate.maxSurge ??= '25%';
  }
  spec.revisionHistoryLimit ??= 10;
  spec.progressDeadlineSeconds ??= 600;
  if (spec.template?.spec) applyPodSpecDefaults(spec.template.spec);
}

function validateBound(value: IntOrString | undefined, path: string): FieldError[] {
  if (typeof value === 'string' && !isPercentage(value)) return [fieldError.invalid(path, value, percentMessage)];
  return typeof value === 'number' && value < 0 ? [fieldError.invalid(path, value, nonNegativeMessage)] : [];
}

function isZero(value: IntOrString | undefined): boolean {
  return value === undefined || value === 0 || (typeof value === 'string' && /^0+%$/.test(value));
}

function validateStrategy(spec: DeploymentSpec): FieldError[] {
  const { type, rollingUpdate } = spec.strategy ?? {};
  if (type === 'Recreate') {
    const message = "may not be specified when strategy `type` is 'Recreate'";
    return rollingUpdate ? [fieldError.forbidden('spec.strategy.rollingUpdate', message)] : [];
  }
  if (type !== 'RollingUpdate') {
    return [fieldError.notSupported('spec.strategy.type', type ?? '', ['Recreate', 'RollingUpdate'])];
  }
  const path = 'spec.strategy.rollingUpdate';
  if (!rollingUpdate) return [fieldError.required(path, 'this should be defaulted and never be nil')];
  const { maxUnavailable, maxSurge } = rollingUpdate;
  const errors = [
    ...validateBound(maxUnavailable, `${path}.maxUnavailable`),
    ...validateBound(maxSurge, `${path}.maxSurge`),
  ];
  if (isZero(maxUnavailable) && isZero(maxSurge)) {
    errors.push(fieldError.invalid(`${path}.maxUnavailable`, maxUnavailable ?? 0, 'may not be 0 when `maxSurge` is 0'));
  }
  if (typeof maxUnavailable === 'string' && Number.parseInt(maxUnavailable, 10) > 100) {
    errors.push(fieldError.invalid(`${path}.maxUnavailable`, maxUnavailable, 'must not be greater than 100%'));
  }
  return errors;
}

function validateSpec(spec: DeploymentSpec): FieldError[] {
  const errors = [...validateWorkloadSpec(spec, 'deployment'), ...(spec ? validateStrategy(spec) : [])];
  if (!spec) return errors;
  const { revisionHistoryLimit: history, progressDeadlineSeconds: deadline, minReadySeconds = 0 } = spec;
  if (history !== undefined && history < 0) {
    errors.push(fieldError.invalid('spec.revisionHistoryLimit', history, nonNegativeMessage));
  }
  if (deadline !== undefined && deadline < 0) {
    errors.push(fieldError.invalid('spec.progressDeadlineSeconds', deadline, nonNegativeMessage));
  }
  if (deadline !== undefined && deadline <= minReadySeconds) {
    const message = 'must be greater than minReadySeconds';
    errors.push(fieldError.invalid('spec.progressDeadlineSeconds', deadline, message));
  }
  return errors;
}

const counts = ['replicas', 'updatedReplicas', 'readyReplicas', 'availableReplicas', 'unavailableReplicas'] as const;

function validateStatus({ status = {} }: Deployment): FieldError[] {
  const errors: FieldError[] = [];
  for (const field of counts) {
    const value = status[field] ?? 0;
    if (value < 0) errors.push(fieldError.invalid(`status.${field}`, value, nonNegativeMessage));
  }
  for (const field of ['updatedReplicas', 'readyReplicas', 'availableReplicas'] as const) {
    if ((status[field] ?? 0) > (status.replicas ?? 0)) {
      errors.push(fieldError.invalid(`status.${field}`, status[field], 'cannot be greater than status.replicas'));
    }
  }
  return errors;
}

export const deploymentKind = defineKind<Deployment>({
  group: 'apps',
  version: 'v1',
  kind: 'Deployment',
  plural: 'deployments',
  shortNames: ['deploy'],
  categories: ['all'],
  namespaced: true,
  schema: 'io.k8s.api.apps.v1.Deployment',
  hasStatus: true,
  hasGeneration: true,
  initialStatus: () => ({}),
  applyDefaults,
  validate: ({ spec }) => validateSpec(spec),
  validateUpdate: ({ object, old }) => validateSelectorUnchanged(object.spec, old.spec),
  validateStatusUpdate: ({ object }) => validateStatus(object),
  scale: workloadScale,
  columns: [
    {
      name: 'Ready',
      type: 'string',
      description: 'Ready Pods, of all that should be.',
      value: ({ spec, status }) => `${status?.readyReplicas ?? 0}/${spec.replicas ?? 0}`,
    },
    {
      name: 'Up-to-date',
      type: 'integer',
      description: 'Pods made from the current template.',
      value: ({ status }) => status?.updatedReplicas ?? 0,
    },
    {
      name: 'Available',
      type: 'integer',
      description: 'Pods ready for at least minReadySeconds.',
      value: ({ status }) => status?.availableReplicas ?? 0,
    },
    ageColumn,
    ...templateColumns,
  ],
});
