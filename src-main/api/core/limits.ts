// core/v1 LimitRange and ResourceQuota.

import { ageColumn, defineKind } from '../define-kind';
import type { FieldError } from '../field-error';
import { fieldError } from '../field-error';
import type { KubeObject } from '../meta';
import { compareQuantities } from '../quantity';
import type { Quantities } from './types';

export interface LimitRangeItem {
  type: string;
  max?: Quantities;
  min?: Quantities;
  default?: Quantities;
  defaultRequest?: Quantities;
  maxLimitRequestRatio?: Quantities;
}

export interface LimitRange extends KubeObject {
  spec?: { limits: LimitRangeItem[] };
}

export interface ResourceQuota extends KubeObject {
  spec?: { hard?: Quantities; scopes?: string[] };
  status?: { hard?: Quantities; used?: Quantities };
}

/** Upstream: what a container may use at most is what it gets, and what it gets is what it asks for. */
function defaultItem(item: LimitRangeItem): void {
  if (item.type !== 'Container') return;
  const limits = { ...item.max, ...item.default };
  if (Object.keys(limits).length > 0) item.default = limits;
  const requests = { ...item.min, ...item.default, ...item.defaultRequest };
  if (Object.keys(requests).length > 0) item.defaultRequest = requests;
}

function validateLimits({ spec }: LimitRange): FieldError[] {
  return (spec?.limits ?? []).flatMap((item, index) => {
    const path = `spec.limits[${index}]`;
    return Object.entries(item.min ?? {})
      .filter(([name, min]) => item.max?.[name] !== undefined && compareQuantities(min, item.max[name]) > 0)
      .map(([name, min]) => {
        const message = `min value ${min} is greater than max value ${item.max![name]}`;
        return fieldError.invalid(`${path}.min[${name}]`, min, message);
      });
  });
}

function validateQuota({ spec }: ResourceQuota): FieldError[] {
  return Object.entries(spec?.hard ?? {})
    .filter(([, quantity]) => compareQuantities(quantity, 0) < 0)
    .map(([name, quantity]) => {
      return fieldError.invalid(`spec.hard[${name}]`, quantity, 'must be greater than or equal to 0');
    });
}

function usage({ status }: ResourceQuota, limits: boolean): string {
  return Object.keys(status?.hard ?? {})
    .filter((name) => name.startsWith('limits.') === limits)
    .sort()
    .map((name) => `${name}: ${status?.used?.[name] ?? '0'}/${status!.hard![name]}`)
    .join(', ');
}

export const limitRangeKind = defineKind<LimitRange>({
  group: '',
  version: 'v1',
  kind: 'LimitRange',
  plural: 'limitranges',
  shortNames: ['limits'],
  namespaced: true,
  schema: 'io.k8s.api.core.v1.LimitRange',
  applyDefaults({ spec }) {
    for (const item of spec?.limits ?? []) defaultItem(item);
  },
  validate: validateLimits,
  columns: [
    {
      name: 'Created At',
      type: 'string',
      description: 'When the object was created.',
      value: ({ metadata }) => metadata.creationTimestamp ?? '',
    },
  ],
});

export const resourceQuotaKind = defineKind<ResourceQuota>({
  group: '',
  version: 'v1',
  kind: 'ResourceQuota',
  plural: 'resourcequotas',
  shortNames: ['quota'],
  namespaced: true,
  schema: 'io.k8s.api.core.v1.ResourceQuota',
  hasStatus: true,
  statusKeepsLabels: false,
  initialStatus: () => ({}),
  validate: validateQuota,
  columns: [
    {
      name: 'Request',
      type: 'string',
      description: 'Used and allowed, of everything but limits.',
      value: (quota) => usage(quota, false),
    },
    {
      name: 'Limit',
      type: 'string',
      description: 'Used and allowed, of limits.',
      value: (quota) => usage(quota, true),
    },
    ageColumn,
  ],
});
