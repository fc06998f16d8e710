// Validation of a Pod's spec, also inside templates. Containers and volumes have files of their own.

import type { FieldError } from '../field-error';
import { fieldError } from '../field-error';
import { validateLabels } from '../metadata-validation';
import { dns1123LabelProblems, dns1123SubdomainProblems, qualifiedNameProblems } from '../names';
import { validateContainer } from './container-validation';
import { validatePlacement } from './placement-validation';
import type { Container, PodSpec, Toleration } from './types';
import { validateVolumes } from './volume-validation';

const restartPolicies = ['Always', 'OnFailure', 'Never'];
const dnsPolicies = ['ClusterFirstWithHostNet', 'ClusterFirst', 'Default', 'None'];
const effects = ['NoSchedule', 'PreferNoSchedule', 'NoExecute'];
const maxInt32 = 2 ** 31 - 1;

function validateContainerList(containers: readonly Container[], path: string, spec: PodSpec): FieldError[] {
  const errors: FieldError[] = [];
  const volumes = new Set((spec.volumes ?? []).map(({ name }) => name));
  const names = new Set<string>();
  for (const [index, container] of containers.entries()) {
    const at = `${path}[${index}]`;
    errors.push(...validateContainer(container, at, { volumes, hostNetwork: spec.hostNetwork ?? false }));
    if (container.name && names.has(container.name)) errors.push(fieldError.duplicate(`${at}.name`, container.name));
    names.add(container.name);
  }
  return errors;
}

function validateInitContainers(spec: PodSpec, path: string): FieldError[] {
  const initContainers = spec.initContainers ?? [];
  const errors = validateContainerList(initContainers, `${path}.initContainers`, spec);
  const taken = new Set((spec.containers ?? []).map(({ name }) => name));
  for (const [index, container] of initContainers.entries()) {
    const at = `${path}.initContainers[${index}]`;
    if (taken.has(container.name)) errors.push(fieldError.duplicate(`${at}.name`, container.name));
    if (container.restartPolicy === 'Always') continue;
    for (const field of ['lifecycle', 'livenessProbe', 'readinessProbe', 'startupProbe'] as const) {
      if (container[field]) {
        errors.push(
          fieldError.forbidden(`${at}.${field}`, 'may not be set for init containers without restartPolicy=Always'),
        );
      }
    }
  }
  return errors;
}

function validateHostPorts(spec: PodSpec, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const seen = new Set<string>();
  for (const [index, container] of (spec.containers ?? []).entries()) {
    for (const [portIndex, port] of (container.ports ?? []).entries()) {
      if (!port.hostPort) continue;
      const key = `${port.protocol ?? 'TCP'}/${port.hostIP ?? ''}/${port.hostPort}`;
      if (seen.has(key)) {
        errors.push(fieldError.duplicate(`${path}.containers[${index}].ports[${portIndex}].hostPort`, key));
      }
      seen.add(key);
    }
  }
  return errors;
}

function validateToleration(toleration: Toleration, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const { key = '', operator = '', value = '', effect = '' } = toleration;
  if (key) {
    for (const problem of qualifiedNameProblems(key)) errors.push(fieldError.invalid(`${path}.key`, key, problem));
  } else if (operator !== 'Exists') {
    const message = 'operator must be Exists when `key` is empty, which means "match all values and all keys"';
    errors.push(fieldError.invalid(`${path}.operator`, operator, message));
  }
  if (toleration.tolerationSeconds !== undefined && effect !== 'NoExecute') {
    const message = "effect must be 'NoExecute' when `tolerationSeconds` is set";
    errors.push(fieldError.invalid(`${path}.effect`, effect, message));
  }
  if (operator === 'Exists' && value) {
    errors.push(fieldError.invalid(`${path}.operator`, toleration, "value must be empty when `operator` is 'Exists'"));
  } else if (operator && operator !== 'Exists' && operator !== 'Equal') {
    errors.push(fieldError.notSupported(`${path}.operator`, operator, ['Equal', 'Exists']));
  }
  if (effect && !effects.includes(effect)) errors.push(fieldError.notSupported(`${path}.effect`, effect, effects));
  return errors;
}

function validateNames(spec: PodSpec, path: string): FieldError[] {
  const errors: FieldError[] = [];
  for (const field of ['nodeName', 'serviceAccountName', 'priorityClassName', 'runtimeClassName'] as const) {
    const value = spec[field];
    if (!value) continue;
    for (const problem of dns1123SubdomainProblems(value)) {
      errors.push(fieldError.invalid(`${path}.${field}`, value, problem));
    }
  }
  for (const field of ['hostname', 'subdomain'] as const) {
    const value = spec[field];
    if (!value) continue;
    for (const problem of dns1123LabelProblems(value))
      errors.push(fieldError.invalid(`${path}.${field}`, value, problem));
  }
  for (const [index, secret] of (spec.imagePullSecrets ?? []).entries()) {
    if (!secret.name) errors.push(fieldError.required(`${path}.imagePullSecrets[${index}].name`));
  }
  return errors;
}

/** Field errors of a Pod's spec at `path`. */
export function validatePodSpec(spec: PodSpec | undefined, path: string): FieldError[] {
  if (!spec) return [fieldError.required(`${path}.containers`)];
  const errors = validateVolumes(spec.volumes ?? [], `${path}.volumes`);
  if ((spec.containers ?? []).length === 0) errors.push(fieldError.required(`${path}.containers`));
  errors.push(
    ...validateContainerList(spec.containers ?? [], `${path}.containers`, spec),
    ...validateInitContainers(spec, path),
    ...validateHostPorts(spec, path),
  );
  if (!spec.restartPolicy) errors.push(fieldError.required(`${path}.restartPolicy`));
  else if (!restartPolicies.includes(spec.restartPolicy)) {
    errors.push(fieldError.notSupported(`${path}.restartPolicy`, spec.restartPolicy, restartPolicies));
  }
  if (spec.dnsPolicy && !dnsPolicies.includes(spec.dnsPolicy)) {
    errors.push(fieldError.notSupported(`${path}.dnsPolicy`, spec.dnsPolicy, dnsPolicies));
  }
  errors.push(
    ...validateLabels(spec.nodeSelector, `${path}.nodeSelector`),
    ...validateNames(spec, path),
    ...validatePlacement(spec, path),
  );
  const deadline = spec.activeDeadlineSeconds;
  if (deadline !== undefined && (deadline < 1 || deadline > maxInt32)) {
    const message = `must be between 1 and ${maxInt32}, inclusive`;
    errors.push(fieldError.invalid(`${path}.activeDeadlineSeconds`, deadline, message));
  }
  for (const [index, toleration] of (spec.tolerations ?? []).entries()) {
    errors.push(...validateToleration(toleration, `${path}.tolerations[${index}]`));
  }
  return errors;
}
