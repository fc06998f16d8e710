// core/v1 ServiceAccount.

import { ageColumn, defineKind } from '../define-kind';
import type { ServiceAccount } from './types';

export const serviceAccountKind = defineKind<ServiceAccount>({
  group: '',
  version: 'v1',
  kind: 'ServiceAccount',
  plural: 'serviceaccounts',
  shortNames: ['sa'],
  namespaced: true,
  schema: 'io.k8s.api.core.v1.ServiceAccount',
  subresources: ['token'],
  columns: [
    {
      name: 'Secrets',
      type: 'integer',
      description: 'Number of secrets Pods running as this account may use.',
      value: (account) => account.secrets?.length ?? 0,
    },
    ageColumn,
  ],
});
