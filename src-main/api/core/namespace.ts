// core/v1 Namespace. Its finalizer `kubernetes` is spec.finalizers: the namespace controller empties the namespace and
// removes it through the finalize subresource.

import { ageColumn, defineKind } from '../define-kind';
import type { Namespace } from './types';

export const namespaceKind = defineKind<Namespace>({
  group: '',
  version: 'v1',
  kind: 'Namespace',
  plural: 'namespaces',
  shortNames: ['ns'],
  namespaced: false,
  nameFormat: 'dns1123-label',
  schema: 'io.k8s.api.core.v1.Namespace',
  hasStatus: true,
  statusKeepsLabels: false,
  initialStatus: () => ({ phase: 'Active' }),
  subresources: ['finalize'],
  applyDefaults(draft) {
    draft.spec ??= {};
    draft.status ??= {};
    draft.status.phase ||= 'Active';
    if (draft.metadata.name) {
      draft.metadata.labels = { ...draft.metadata.labels, 'kubernetes.io/metadata.name': draft.metadata.name };
    }
  },
  prepareForCreate(draft) {
    const finalizers = draft.spec?.finalizers ?? [];
    draft.spec = { finalizers: finalizers.includes('kubernetes') ? finalizers : [...finalizers, 'kubernetes'] };
  },
  prepareForUpdate(draft, old) {
    draft.spec = { ...draft.spec, finalizers: old.spec?.finalizers ?? [] };
  },
  selectableFields: { 'status.phase': (namespace) => namespace.status?.phase ?? '' },
  columns: [
    {
      name: 'Status',
      type: 'string',
      description: 'Active, or Terminating while it is being emptied.',
      value: (namespace) => namespace.status?.phase ?? '',
    },
    ageColumn,
  ],
});
