// core/v1 ConfigMap.

import { ageColumn, defineKind } from '../define-kind';
import type { FieldError } from '../field-error';
import { fieldError } from '../field-error';
import { configMapKeyProblems } from '../names';
import { jsonEqual } from '../patch';
import type { ConfigMap } from './types';

/** Upstream's MaxSecretSize, for ConfigMaps and Secrets. */
export const dataSizeLimit = 1024 * 1024;

function validate(object: ConfigMap): FieldError[] {
  const errors: FieldError[] = [];
  let size = 0;
  for (const [key, value] of Object.entries(object.data ?? {})) {
    for (const problem of configMapKeyProblems(key)) errors.push(fieldError.invalid(`data[${key}]`, key, problem));
    if (Object.hasOwn(object.binaryData ?? {}, key)) {
      errors.push(fieldError.invalid(`data[${key}]`, key, 'duplicate of key present in binaryData'));
    }
    size += value.length;
  }
  for (const [key, value] of Object.entries(object.binaryData ?? {})) {
    for (const problem of configMapKeyProblems(key)) {
      errors.push(fieldError.invalid(`binaryData[${key}]`, key, problem));
    }
    size += Math.floor((value.length * 3) / 4);
  }
  if (size > dataSizeLimit) errors.push(fieldError.tooLong('', '', dataSizeLimit));
  return errors;
}

/** What an immutable ConfigMap or Secret may not change. */
export function validateImmutableData(
  object: { immutable?: boolean; data?: unknown; binaryData?: unknown },
  old: { immutable?: boolean; data?: unknown; binaryData?: unknown },
): FieldError[] {
  if (!old.immutable) return [];
  const message = 'field is immutable when `immutable` is set';
  const errors: FieldError[] = [];
  if (!object.immutable) errors.push(fieldError.forbidden('immutable', message));
  if (!jsonEqual(object.data ?? {}, old.data ?? {})) errors.push(fieldError.forbidden('data', message));
  if (!jsonEqual(object.binaryData ?? {}, old.binaryData ?? {})) {
    errors.push(fieldError.forbidden('binaryData', message));
  }
  return errors;
}

export const configMapKind = defineKind<ConfigMap>({
  group: '',
  version: 'v1',
  kind: 'ConfigMap',
  plural: 'configmaps',
  shortNames: ['cm'],
  namespaced: true,
  schema: 'io.k8s.api.core.v1.ConfigMap',
  validate,
  validateUpdate: ({ object, old }) => validateImmutableData(object, old),
  columns: [
    {
      name: 'Data',
      type: 'integer',
      description: 'Number of entries in data and binaryData.',
      value: ({ data, binaryData }) => Object.keys(data ?? {}).length + Object.keys(binaryData ?? {}).length,
    },
    ageColumn,
  ],
});
