// Validation of what steers a Pod to nodes: affinities and topology spread.

import type { FieldError } from '../field-error';
import { fieldError } from '../field-error';
import { validateLabelSelector } from '../label-selector-validation';
import { qualifiedNameProblems } from '../names';
import type {
  NodeAffinity,
  NodeSelectorTerm,
  PodAffinity,
  PodAffinityTerm,
  PodSpec,
  SelectorRequirement,
  TopologySpreadConstraint,
} from './types';

const required = 'requiredDuringSchedulingIgnoredDuringExecution';
const preferred = 'preferredDuringSchedulingIgnoredDuringExecution';
const actions = ['DoNotSchedule', 'ScheduleAnyway'];

function validateValues(requirement: SelectorRequirement, path: string): FieldError[] {
  const count = (requirement.values ?? []).length;
  switch (requirement.operator) {
    case 'In':
    case 'NotIn':
      if (count > 0) return [];
      return [fieldError.required(`${path}.values`, "must be specified when `operator` is 'In' or 'NotIn'")];
    case 'Exists':
    case 'DoesNotExist': {
      const message = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'";
      return count === 0 ? [] : [fieldError.forbidden(`${path}.values`, message)];
    }
    case 'Gt':
    case 'Lt': {
      const message = "must be specified single value when `operator` is 'Lt' or 'Gt'";
      return count === 1 ? [] : [fieldError.required(`${path}.values`, message)];
    }
    default:
      return [fieldError.invalid(`${path}.operator`, requirement.operator ?? '', 'not a valid selector operator')];
  }
}

function validateTerm(term: NodeSelectorTerm, path: string): FieldError[] {
  const expressions = (term.matchExpressions ?? []).flatMap((requirement, index) => {
    const at = `${path}.matchExpressions[${index}]`;
    const key = requirement.key ?? '';
    return [
      ...qualifiedNameProblems(key).map((problem) => fieldError.invalid(`${at}.key`, key, problem)),
      ...validateValues(requirement, at),
    ];
  });
  const fields = (term.matchFields ?? []).flatMap((requirement, index) => {
    const at = `${path}.matchFields[${index}]`;
    if (requirement.key !== 'metadata.name') {
      return [fieldError.invalid(`${at}.key`, requirement.key ?? '', 'not a valid field selector key')];
    }
    if (requirement.operator === 'In' || requirement.operator === 'NotIn') {
      const message = "must be only one value when `operator` is 'In' or 'NotIn' for node field selector";
      return requirement.values?.length === 1 ? [] : [fieldError.required(`${at}.values`, message)];
    }
    return [fieldError.invalid(`${at}.operator`, requirement.operator ?? '', 'not a valid selector operator')];
  });
  return [...expressions, ...fields];
}

function validateWeight(weight: number, path: string): FieldError[] {
  return weight >= 1 && weight <= 100
    ? []
    : [fieldError.invalid(`${path}.weight`, weight ?? 0, 'must be in the range 1-100')];
}

function validateNodeAffinity(affinity: NodeAffinity, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const selector = affinity[required];
  if (selector) {
    const at = `${path}.${required}.nodeSelectorTerms`;
    const terms = selector.nodeSelectorTerms ?? [];
    if (terms.length === 0) errors.push(fieldError.required(at, 'must have at least one node selector term'));
    for (const [index, term] of terms.entries()) errors.push(...validateTerm(term, `${at}[${index}]`));
  }
  for (const [index, term] of (affinity[preferred] ?? []).entries()) {
    const at = `${path}.${preferred}[${index}]`;
    errors.push(...validateWeight(term.weight, at), ...validateTerm(term.preference ?? {}, `${at}.preference`));
  }
  return errors;
}

function validatePodTerm(term: PodAffinityTerm | undefined, path: string): FieldError[] {
  const key = term?.topologyKey ?? '';
  return [
    ...validateLabelSelector(term?.labelSelector, `${path}.labelSelector`),
    ...validateLabelSelector(term?.namespaceSelector, `${path}.namespaceSelector`),
    ...(key === ''
      ? [fieldError.required(`${path}.topologyKey`, 'can not be empty')]
      : qualifiedNameProblems(key).map((problem) => fieldError.invalid(`${path}.topologyKey`, key, problem))),
  ];
}

function validatePodAffinity(affinity: PodAffinity, path: string): FieldError[] {
  const hard = (affinity[required] ?? []).flatMap((term, index) =>
    validatePodTerm(term, `${path}.${required}[${index}]`),
  );
  const soft = (affinity[preferred] ?? []).flatMap((term, index) => {
    const at = `${path}.${preferred}[${index}]`;
    return [...validateWeight(term.weight, at), ...validatePodTerm(term.podAffinityTerm, `${at}.podAffinityTerm`)];
  });
  return [...hard, ...soft];
}

function validateSpread(constraints: readonly TopologySpreadConstraint[], path: string): FieldError[] {
  const errors: FieldError[] = [];
  const seen = new Set<string>();
  for (const [index, constraint] of constraints.entries()) {
    const at = `${path}[${index}]`;
    const { maxSkew = 0, topologyKey = '', whenUnsatisfiable = '' } = constraint;
    if (maxSkew <= 0) errors.push(fieldError.invalid(`${at}.maxSkew`, maxSkew, 'must be greater than zero'));
    if (topologyKey === '') errors.push(fieldError.required(`${at}.topologyKey`, 'can not be empty'));
    if (!actions.includes(whenUnsatisfiable)) {
      errors.push(fieldError.notSupported(`${at}.whenUnsatisfiable`, whenUnsatisfiable, actions));
    }
    const identity = `{${topologyKey}, ${whenUnsatisfiable}}`;
    if (seen.has(identity)) {
      errors.push(fieldError.duplicate(`${at}.{topologyKey, whenUnsatisfiable}`, identity));
    }
    seen.add(identity);
    errors.push(...validateLabelSelector(constraint.labelSelector, `${at}.labelSelector`));
  }
  return errors;
}

/** Field errors of the parts of a Pod's spec that place it. */
export function validatePlacement(spec: PodSpec, path: string): FieldError[] {
  const { nodeAffinity, podAffinity, podAntiAffinity } = spec.affinity ?? {};
  return [
    ...(nodeAffinity ? validateNodeAffinity(nodeAffinity, `${path}.affinity.nodeAffinity`) : []),
    ...(podAffinity ? validatePodAffinity(podAffinity, `${path}.affinity.podAffinity`) : []),
    ...(podAntiAffinity ? validatePodAffinity(podAntiAffinity, `${path}.affinity.podAntiAffinity`) : []),
    ...validateSpread(spec.topologySpreadConstraints ?? [], `${path}.topologySpreadConstraints`),
  ];
}
