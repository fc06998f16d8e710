// rbac.authorization.k8s.io/v1 RoleBinding and ClusterRoleBinding.

import { ageColumn, defineKind } from '../define-kind';
import type { FieldError } from '../field-error';
import { fieldError } from '../field-error';
import type { Column, UpdateContext } from '../kind';
import { pathSegmentProblems } from '../names';
import { jsonEqual } from '../patch';
import type { RoleBinding, Subject } from './types';

const group = 'rbac.authorization.k8s.io';

function applyDefaults(binding: RoleBinding): void {
  if (binding.roleRef) binding.roleRef.apiGroup ||= group;
  for (const subject of binding.subjects ?? []) {
    if (subject.kind === 'User' || subject.kind === 'Group') subject.apiGroup ||= group;
  }
}

function validateSubject(subject: Subject, path: string, namespaced: boolean): FieldError[] {
  const errors: FieldError[] = [];
  if (!subject.name) errors.push(fieldError.required(`${path}.name`));
  switch (subject.kind) {
    case 'ServiceAccount':
      if (subject.apiGroup) errors.push(fieldError.notSupported(`${path}.apiGroup`, subject.apiGroup, ['']));
      if (!subject.namespace && !namespaced) errors.push(fieldError.required(`${path}.namespace`));
      return errors;
    case 'User':
    case 'Group':
      if (subject.apiGroup !== group) {
        errors.push(fieldError.notSupported(`${path}.apiGroup`, subject.apiGroup, [group]));
      }
      return errors;
    default:
      errors.push(fieldError.notSupported(`${path}.kind`, subject.kind, ['ServiceAccount', 'User', 'Group']));
      return errors;
  }
}

function validate(binding: RoleBinding, namespaced: boolean): FieldError[] {
  const errors: FieldError[] = [];
  const kinds = namespaced ? ['Role', 'ClusterRole'] : ['ClusterRole'];
  const { apiGroup, kind, name } = binding.roleRef ?? { apiGroup: '', kind: '', name: '' };
  if (apiGroup !== group) errors.push(fieldError.notSupported('roleRef.apiGroup', apiGroup, [group]));
  if (!kinds.includes(kind)) errors.push(fieldError.notSupported('roleRef.kind', kind, kinds));
  if (!name) errors.push(fieldError.required('roleRef.name'));
  else for (const problem of pathSegmentProblems(name)) errors.push(fieldError.invalid('roleRef.name', name, problem));
  for (const [index, subject] of (binding.subjects ?? []).entries()) {
    errors.push(...validateSubject(subject, `subjects[${index}]`, namespaced));
  }
  return errors;
}

function validateUpdate({ object, old }: UpdateContext<RoleBinding>): FieldError[] {
  return jsonEqual(object.roleRef, old.roleRef)
    ? []
    : [fieldError.invalid('roleRef', object.roleRef, 'cannot change roleRef')];
}

function subjectsColumn(name: string, kind: string): Column<RoleBinding> {
  return {
    name,
    type: 'string',
    priority: 1,
    description: `${name} the role is given to.`,
    value: ({ subjects = [] }) =>
      subjects
        .filter((subject) => subject.kind === kind)
        .map((subject) => (kind === 'ServiceAccount' ? `${subject.namespace ?? ''}/${subject.name}` : subject.name))
        .join(', '),
  };
}

const columns: readonly Column<RoleBinding>[] = [
  {
    name: 'Role',
    type: 'string',
    description: 'The role that is given.',
    value: ({ roleRef }) => `${roleRef?.kind ?? ''}/${roleRef?.name ?? ''}`,
  },
  ageColumn,
  subjectsColumn('Users', 'User'),
  subjectsColumn('Groups', 'Group'),
  subjectsColumn('ServiceAccounts', 'ServiceAccount'),
];

export const roleBindingKind = defineKind<RoleBinding>({
  group,
  version: 'v1',
  kind: 'RoleBinding',
  plural: 'rolebindings',
  namespaced: true,
  nameFormat: 'path-segment',
  schema: 'io.k8s.api.rbac.v1.RoleBinding',
  applyDefaults,
  validate: (binding) => validate(binding, true),
  validateUpdate,
  columns,
});

export const clusterRoleBindingKind = defineKind<RoleBinding>({
  group,
  version: 'v1',
  kind: 'ClusterRoleBinding',
  plural: 'clusterrolebindings',
  namespaced: false,
  nameFormat: 'path-segment',
  schema: 'io.k8s.api.rbac.v1.ClusterRoleBinding',
  applyDefaults,
  validate: (binding) => validate(binding, false),
  validateUpdate,
  columns,
});
