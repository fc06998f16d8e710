// core/v1 Secret. stringData is merged into data by defaulting and never stored.

import { ageColumn, defineKind } from '../define-kind';
import type { FieldError } from '../field-error';
import { fieldError } from '../field-error';
import { configMapKeyProblems, immutableMessage } from '../names';
import { dataSizeLimit, validateImmutableData } from './config-map';
import { encodeBase64Text } from './base64';
import type { Secret } from './types';

const requiredKeys: Record<string, readonly string[]> = {
  'kubernetes.io/dockercfg': ['.dockercfg'],
  'kubernetes.io/dockerconfigjson': ['.dockerconfigjson'],
  'kubernetes.io/ssh-auth': ['ssh-privatekey'],
  'kubernetes.io/tls': ['tls.crt', 'tls.key'],
};

function applyDefaults(draft: Secret): void {
  draft.type ||= 'Opaque';
  if (!draft.stringData) return;
  draft.data ??= {};
  for (const [key, value] of Object.entries(draft.stringData)) draft.data[key] = encodeBase64Text(value);
  delete draft.stringData;
}

function validate(secret: Secret): FieldError[] {
  const errors: FieldError[] = [];
  const data = secret.data ?? {};
  let size = 0;
  for (const [key, value] of Object.entries(data)) {
    for (const problem of configMapKeyProblems(key)) errors.push(fieldError.invalid(`data[${key}]`, key, problem));
    size += Math.floor((value.length * 3) / 4);
  }
  if (size > dataSizeLimit) errors.push(fieldError.tooLong('data', '', dataSizeLimit));
  for (const key of requiredKeys[secret.type ?? ''] ?? []) {
    if (!Object.hasOwn(data, key)) errors.push(fieldError.required(`data[${key}]`));
  }
  if (secret.type === 'kubernetes.io/service-account-token') {
    const annotation = 'kubernetes.io/service-account.name';
    if (!secret.metadata.annotations?.[annotation]) {
      errors.push(fieldError.required(`metadata.annotations[${annotation}]`));
    }
  }
  if (secret.type === 'kubernetes.io/basic-auth' && !data.username && !data.password) {
    errors.push(fieldError.required('data[username]'), fieldError.required('data[password]'));
  }
  return errors;
}

export const secretKind = defineKind<Secret>({
  group: '',
  version: 'v1',
  kind: 'Secret',
  plural: 'secrets',
  namespaced: true,
  schema: 'io.k8s.api.core.v1.Secret',
  applyDefaults,
  validate,
  validateUpdate({ object, old }) {
    const errors = validateImmutableData(object, old);
    if (object.type !== old.type) errors.push(fieldError.invalid('type', object.type, immutableMessage));
    return errors;
  },
  selectableFields: { type: (secret) => secret.type ?? '' },
  columns: [
    { name: 'Type', type: 'string', description: 'Kind of content.', value: (secret) => secret.type ?? '' },
    {
      name: 'Data',
      type: 'integer',
      description: 'Number of entries in data.',
      value: (secret) => Object.keys(secret.data ?? {}).length,
    },
    ageColumn,
  ],
});
