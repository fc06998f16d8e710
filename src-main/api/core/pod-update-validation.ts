// What may change in a Pod after its creation: images, the active deadline, more tolerations, and the removal of
// scheduling gates. Everything else is refused with one message, as upstream does.

import type { FieldError } from '../field-error';
import { fieldError } from '../field-error';
import { jsonEqual } from '../patch';
import type { Container, Pod, PodSpec, Toleration } from './types';

const frozenMessage =
  'pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)';

function deadlineErrors(next: number | undefined, old: number | undefined): FieldError[] {
  const path = 'spec.activeDeadlineSeconds';
  if (next === undefined) {
    return old === undefined
      ? []
      : [fieldError.invalid(path, null, 'must not update from a positive integer to nil value')];
  }
  if (next < 0) return [fieldError.invalid(path, next, 'must be greater than or equal to 0')];
  return old !== undefined && old < next
    ? [fieldError.invalid(path, next, 'must be less than or equal to previous value')]
    : [];
}

function keepsTolerations(next: readonly Toleration[], old: readonly Toleration[]): boolean {
  const same = (a: Toleration, b: Toleration): boolean =>
    jsonEqual({ ...a, tolerationSeconds: 0 }, { ...b, tolerationSeconds: 0 });
  return old.every((toleration) => next.some((candidate) => same(candidate, toleration)));
}

function withImages(containers: readonly Container[] | undefined, from: readonly Container[] | undefined): Container[] {
  return (containers ?? []).map((container, index) => ({ ...container, image: from?.[index]?.image }));
}

/** The new spec with everything that may change set back to the old. */
function withoutAllowedChanges(next: PodSpec, old: PodSpec): PodSpec {
  const result: PodSpec = {
    ...next,
    containers: withImages(next.containers, old.containers),
    activeDeadlineSeconds: old.activeDeadlineSeconds,
    tolerations: old.tolerations,
  };
  if (next.initContainers) result.initContainers = withImages(next.initContainers, old.initContainers);
  const gates = new Set((old.schedulingGates ?? []).map(({ name }) => name));
  if ((next.schedulingGates ?? []).every(({ name }) => gates.has(name))) result.schedulingGates = old.schedulingGates;
  if (next.terminationGracePeriodSeconds === 1 && (old.terminationGracePeriodSeconds ?? 0) < 0) {
    result.terminationGracePeriodSeconds = old.terminationGracePeriodSeconds;
  }
  return result;
}

/** Field errors of a change to a Pod. */
export function validatePodUpdate(pod: Pod, old: Pod): FieldError[] {
  for (const list of ['containers', 'initContainers'] as const) {
    if ((pod.spec[list] ?? []).length !== (old.spec[list] ?? []).length) {
      return [fieldError.forbidden(`spec.${list}`, 'pod updates may not add or remove containers')];
    }
  }
  const errors = deadlineErrors(pod.spec.activeDeadlineSeconds, old.spec.activeDeadlineSeconds);
  if (!keepsTolerations(pod.spec.tolerations ?? [], old.spec.tolerations ?? [])) {
    const message = 'existing toleration can not be modified except its tolerationSeconds';
    errors.push(fieldError.forbidden('spec.tolerations', message));
  }
  if (!jsonEqual(withoutAllowedChanges(pod.spec, old.spec), old.spec)) {
    errors.push(fieldError.forbidden('spec', frozenMessage));
  }
  return errors;
}
