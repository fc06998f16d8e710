// What kinds with a Pod template and a selector share: validation of both, wide columns, the scale subresource.

import { validatePodSpec } from '../core/pod-validation';
import type { Container, LabelSelector, PodTemplateSpec } from '../core/types';
import type { FieldError } from '../field-error';
import { fieldError } from '../field-error';
import type { Column, ScaleSubresource } from '../kind';
import { validateLabelSelector } from '../label-selector-validation';
import type { KubeObject } from '../meta';
import { validateAnnotations, validateLabels } from '../metadata-validation';
import { immutableMessage, nonNegativeMessage } from '../names';
import { jsonEqual } from '../patch';
import { formatLabelSelector, labelSelectorMatcher, labelSelectorText } from '../selectors';

/** Field errors of a Pod template at `path`. */
export function validatePodTemplate(template: PodTemplateSpec | undefined, path: string): FieldError[] {
  return [
    ...validateLabels(template?.metadata?.labels, `${path}.labels`),
    ...validateAnnotations(template?.metadata?.annotations, `${path}.annotations`),
    ...validatePodSpec(template?.spec, `${path}.spec`),
  ];
}

export interface WorkloadSpec {
  replicas?: number;
  minReadySeconds?: number;
  selector: LabelSelector;
  template: PodTemplateSpec;
}

function validateSelector(spec: WorkloadSpec, kind: string): FieldError[] {
  const { selector } = spec;
  if (!selector) return [fieldError.required('spec.selector')];
  const errors = validateLabelSelector(selector, 'spec.selector');
  if (Object.keys(selector.matchLabels ?? {}).length + (selector.matchExpressions ?? []).length === 0) {
    errors.push(fieldError.invalid('spec.selector', selector, `empty selector is invalid for ${kind}`));
  } else if (errors.length === 0) {
    const labels = spec.template?.metadata?.labels;
    if (!labelSelectorMatcher(selector)(labels)) {
      const message = '`selector` does not match template `labels`';
      errors.push(fieldError.invalid('spec.template.metadata.labels', labels ?? {}, message));
    }
  }
  return errors;
}

/** Field errors of a spec whose Pods always restart; `kind` is the word upstream uses in messages. */
export function validateWorkloadSpec(spec: WorkloadSpec | undefined, kind: string): FieldError[] {
  if (!spec) return [fieldError.required('spec.selector'), fieldError.required('spec.template')];
  const errors: FieldError[] = [];
  for (const field of ['replicas', 'minReadySeconds'] as const) {
    const value = spec[field];
    if (value !== undefined && value < 0) errors.push(fieldError.invalid(`spec.${field}`, value, nonNegativeMessage));
  }
  errors.push(...validateSelector(spec, kind), ...validatePodTemplate(spec.template, 'spec.template'));
  const template = spec.template?.spec;
  const policy = template?.restartPolicy;
  if (policy && policy !== 'Always') {
    errors.push(fieldError.notSupported('spec.template.spec.restartPolicy', policy, ['Always']));
  }
  if (template?.activeDeadlineSeconds !== undefined) {
    const message = 'activeDeadlineSeconds in ReplicaSet is not Supported';
    errors.push(fieldError.forbidden('spec.template.spec.activeDeadlineSeconds', message));
  }
  return errors;
}

/** A selector is for life. */
export function validateSelectorUnchanged(spec: WorkloadSpec, old: WorkloadSpec): FieldError[] {
  return jsonEqual(spec.selector, old.selector)
    ? []
    : [fieldError.invalid('spec.selector', spec.selector, immutableMessage)];
}

interface Workload extends KubeObject {
  spec: WorkloadSpec;
  status?: { replicas?: number };
}

function join(containers: readonly Container[] | undefined, part: (container: Container) => string): string {
  return (containers ?? []).map(part).join(',');
}

/** CONTAINERS, IMAGES and SELECTOR, shown with -o wide. */
export const templateColumns: readonly Column<Workload>[] = [
  {
    name: 'Containers',
    type: 'string',
    priority: 1,
    description: 'Names of the containers in the template.',
    value: ({ spec }) => join(spec.template?.spec?.containers, ({ name }) => name),
  },
  {
    name: 'Images',
    type: 'string',
    priority: 1,
    description: 'Images of the containers in the template.',
    value: ({ spec }) => join(spec.template?.spec?.containers, ({ image }) => image ?? ''),
  },
  {
    name: 'Selector',
    type: 'string',
    priority: 1,
    description: 'Labels of the Pods it owns.',
    value: ({ spec }) => formatLabelSelector(spec.selector),
  },
];

export const workloadScale: ScaleSubresource<Workload> = {
  specReplicas: ({ spec }) => spec.replicas ?? 0,
  setSpecReplicas({ spec }, replicas) {
    spec.replicas = replicas;
  },
  statusReplicas: ({ status }) => status?.replicas ?? 0,
  selector: ({ spec }) => labelSelectorText(spec.selector),
};
