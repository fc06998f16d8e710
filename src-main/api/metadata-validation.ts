// ObjectMeta rules of every kind (apimachinery api/validation), for creation and for updates.

import type { FieldError } from './field-error';
import { childPath, fieldError } from './field-error';
import type { ObjectMeta, OwnerReference } from './meta';
import type { NameFormat } from './names';
import {
  dns1123LabelProblems,
  immutableMessage,
  labelValueProblems,
  nameProblems,
  nonNegativeMessage,
  qualifiedNameProblems,
} from './names';

export interface MetadataRules {
  namespaced: boolean;
  nameFormat?: NameFormat;
  /** Default: metadata. */
  path?: string;
}

const annotationLimit = 256 * 1024;
const standardFinalizers: ReadonlySet<string> = new Set(['kubernetes', 'orphan', 'foregroundDeletion']);

/** Field errors of an object's metadata as it is created. */
export function validateObjectMeta(meta: ObjectMeta, rules: MetadataRules): FieldError[] {
  const path = rules.path ?? 'metadata';
  const format = rules.nameFormat ?? 'dns1123-subdomain';
  const errors: FieldError[] = [];
  if (meta.generateName) {
    for (const problem of nameProblems(meta.generateName, format, { prefix: true })) {
      errors.push(fieldError.invalid(childPath(path, 'generateName'), meta.generateName, problem));
    }
  }
  if (!meta.name) errors.push(fieldError.required(childPath(path, 'name'), 'name or generateName is required'));
  else {
    for (const problem of nameProblems(meta.name, format)) {
      errors.push(fieldError.invalid(childPath(path, 'name'), meta.name, problem));
    }
  }
  if (rules.namespaced) {
    if (!meta.namespace) errors.push(fieldError.required(childPath(path, 'namespace')));
    else {
      for (const problem of dns1123LabelProblems(meta.namespace)) {
        errors.push(fieldError.invalid(childPath(path, 'namespace'), meta.namespace, problem));
      }
    }
  } else if (meta.namespace) {
    errors.push(fieldError.forbidden(childPath(path, 'namespace'), 'not allowed on this type'));
  }
  return [...errors, ...validateCommon(meta, path)];
}

function validateCommon(meta: ObjectMeta, path: string): FieldError[] {
  const errors: FieldError[] = [];
  if ((meta.generation ?? 0) < 0) {
    errors.push(fieldError.invalid(childPath(path, 'generation'), meta.generation, nonNegativeMessage));
  }
  errors.push(
    ...validateLabels(meta.labels, childPath(path, 'labels')),
    ...validateAnnotations(meta.annotations, childPath(path, 'annotations')),
    ...validateOwnerReferences(meta.ownerReferences ?? [], childPath(path, 'ownerReferences')),
    ...validateFinalizers(meta.finalizers ?? [], childPath(path, 'finalizers')),
  );
  return errors;
}

/** Also used for selectors and templates. */
export function validateLabels(labels: Readonly<Record<string, string>> | undefined, path: string): FieldError[] {
  return Object.entries(labels ?? {}).flatMap(([key, value]) => [
    ...qualifiedNameProblems(key).map((problem) => fieldError.invalid(path, key, problem)),
    ...labelValueProblems(value).map((problem) => fieldError.invalid(path, value, problem)),
  ]);
}

export function validateAnnotations(
  annotations: Readonly<Record<string, string>> | undefined,
  path: string,
): FieldError[] {
  const errors: FieldError[] = [];
  let size = 0;
  for (const [key, value] of Object.entries(annotations ?? {})) {
    size += key.length + value.length;
    for (const problem of qualifiedNameProblems(key.toLowerCase())) errors.push(fieldError.invalid(path, key, problem));
  }
  if (size > annotationLimit) errors.push(fieldError.tooLong(path, '', annotationLimit));
  return errors;
}

function validateOwnerReferences(references: readonly OwnerReference[], path: string): FieldError[] {
  const errors: FieldError[] = [];
  let controller: OwnerReference | undefined;
  for (const reference of references) {
    if (!reference.apiVersion || reference.apiVersion.endsWith('/')) {
      errors.push(fieldError.invalid(childPath(path, 'apiVersion'), reference.apiVersion, 'version must not be empty'));
    }
    for (const field of ['kind', 'name', 'uid'] as const) {
      if (!reference[field]) errors.push(fieldError.invalid(childPath(path, field), '', `${field} must not be empty`));
    }
    if (reference.apiVersion === 'v1' && reference.kind === 'Event') {
      errors.push(fieldError.invalid(path, reference, '/v1, Kind=Event is disallowed from being an owner'));
    }
    if (!reference.controller) continue;
    if (controller) {
      const message = `Only one reference can have Controller set to true. Found "true" in references for ${controller.kind}/${controller.name} and ${reference.kind}/${reference.name}`;
      errors.push(fieldError.invalid(path, references, message));
    }
    controller ??= reference;
  }
  return errors;
}

function validateFinalizers(finalizers: readonly string[], path: string): FieldError[] {
  const errors: FieldError[] = [];
  for (const finalizer of finalizers) {
    const problems = qualifiedNameProblems(finalizer);
    for (const problem of problems) errors.push(fieldError.invalid(path, finalizer, problem));
    if (problems.length === 0 && !finalizer.includes('/') && !standardFinalizers.has(finalizer)) {
      const message = 'name is neither a standard finalizer name nor is it fully qualified';
      errors.push(fieldError.invalid(path, finalizer, message));
    }
  }
  if (finalizers.includes('orphan') && finalizers.includes('foregroundDeletion')) {
    const message = 'finalizer orphan and foregroundDeletion cannot be both set';
    errors.push(fieldError.invalid(path, finalizers, message));
  }
  return errors;
}

const immutableFields = [
  'name',
  'namespace',
  'uid',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
] as const;

/**
 * Field errors of changed metadata. Server-owned fields that the client left out must have been taken over from the old
 * object already (`keepServerOwnedMeta`).
 */
export function validateObjectMetaUpdate(meta: ObjectMeta, old: ObjectMeta, path = 'metadata'): FieldError[] {
  const errors: FieldError[] = [];
  if (old.deletionTimestamp) {
    const added = (meta.finalizers ?? []).filter((finalizer) => !(old.finalizers ?? []).includes(finalizer));
    if (added.length > 0) {
      const message = `no new finalizers can be added if the object is being deleted, found new finalizers []string{${added.map((name) => JSON.stringify(name)).join(', ')}}`;
      errors.push(fieldError.forbidden(childPath(path, 'finalizers'), message));
    }
  }
  if ((meta.generation ?? 0) < (old.generation ?? 0)) {
    errors.push(fieldError.invalid(childPath(path, 'generation'), meta.generation, 'must not be decremented'));
  }
  for (const field of immutableFields) {
    if (meta[field] !== old[field]) {
      errors.push(fieldError.invalid(childPath(path, field), meta[field], immutableMessage));
    }
  }
  return [...errors, ...validateCommon(meta, path)];
}

/** Takes over, in place, what a client may leave out of an update but may not change. */
export function keepServerOwnedMeta(meta: ObjectMeta, old: ObjectMeta): void {
  meta.uid ??= old.uid;
  meta.creationTimestamp ??= old.creationTimestamp;
  meta.deletionTimestamp ??= old.deletionTimestamp;
  meta.deletionGracePeriodSeconds ??= old.deletionGracePeriodSeconds;
  for (const field of ['uid', 'creationTimestamp', 'deletionTimestamp', 'deletionGracePeriodSeconds'] as const) {
    if (meta[field] === undefined) delete meta[field];
  }
}
