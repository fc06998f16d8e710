// rbac.authorization.k8s.io/v1 Role and ClusterRole: the same rules, in a namespace or in the whole cluster.

import { ageColumn, defineKind } from '../define-kind';
import type { FieldError } from '../field-error';
import { fieldError } from '../field-error';
import type { Column } from '../kind';
import type { KubeObject } from '../meta';
import type { ClusterRole, PolicyRule, Role } from './types';

function validateRule(rule: PolicyRule, path: string, namespaced: boolean): FieldError[] {
  const errors: FieldError[] = [];
  if ((rule.verbs ?? []).length === 0) {
    errors.push(fieldError.required(`${path}.verbs`, 'verbs must contain at least one value'));
  }
  if ((rule.nonResourceURLs ?? []).length > 0) {
    if (namespaced) {
      const message = 'namespaced rules cannot apply to non-resource URLs';
      errors.push(fieldError.invalid(`${path}.nonResourceURLs`, rule.nonResourceURLs, message));
    }
    if ((rule.apiGroups ?? []).length + (rule.resources ?? []).length + (rule.resourceNames ?? []).length > 0) {
      const message = 'rules cannot apply to both regular resources and non-resource URLs';
      errors.push(fieldError.invalid(`${path}.nonResourceURLs`, rule.nonResourceURLs, message));
    }
    return errors;
  }
  if ((rule.apiGroups ?? []).length === 0) {
    errors.push(fieldError.required(`${path}.apiGroups`, 'resource rules must supply at least one api group'));
  }
  if ((rule.resources ?? []).length === 0) {
    errors.push(fieldError.required(`${path}.resources`, 'resource rules must supply at least one resource'));
  }
  return errors;
}

function validateRules(rules: readonly PolicyRule[] | undefined, namespaced: boolean): FieldError[] {
  return (rules ?? []).flatMap((rule, index) => validateRule(rule, `rules[${index}]`, namespaced));
}

const createdAt: Column<KubeObject> = {
  ...ageColumn,
  name: 'Created At',
  description: 'When the object was created.',
  value: ({ metadata }) => metadata.creationTimestamp ?? '',
};

const group = 'rbac.authorization.k8s.io';

export const roleKind = defineKind<Role>({
  group,
  version: 'v1',
  kind: 'Role',
  plural: 'roles',
  namespaced: true,
  nameFormat: 'path-segment',
  schema: 'io.k8s.api.rbac.v1.Role',
  validate: ({ rules }) => validateRules(rules, true),
  columns: [createdAt],
});

export const clusterRoleKind = defineKind<ClusterRole>({
  group,
  version: 'v1',
  kind: 'ClusterRole',
  plural: 'clusterroles',
  namespaced: false,
  nameFormat: 'path-segment',
  schema: 'io.k8s.api.rbac.v1.ClusterRole',
  validate: ({ rules }) => validateRules(rules, false),
  columns: [createdAt],
});
