// Every namespace has a service account `default`, which Pods run as when they name none.

import { type Namespace, resources, type ServiceAccount } from '../../api';
import { ApiError } from '../../client';
import { type ControllerDeclaration, mapped, primary } from '../engine';

const accountName = 'default';

export const serviceAccountController: ControllerDeclaration = {
  name: 'service-account',
  component: 'service-account-controller',
  watches: () => [
    primary(resources.namespaces),
    mapped<ServiceAccount>(resources.serviceaccounts, ({ object, deleted }) =>
      deleted && object.metadata.name === accountName ? [object.metadata.namespace ?? ''] : [],
    ),
  ],
  create: ({ informers, client }) => ({
    async reconcile(name) {
      const namespace = informers.lister<Namespace>(resources.namespaces).get(name);
      if (!namespace || namespace.metadata.deletionTimestamp) return;
      if (informers.lister(resources.serviceaccounts).get(`${name}/${accountName}`)) return;
      const account: ServiceAccount = {
        apiVersion: 'v1',
        kind: 'ServiceAccount',
        metadata: { name: accountName, namespace: name },
      };
      try {
        await client.create(resources.serviceaccounts, account, { namespace: name });
      } catch (error) {
        if (!ApiError.is(error, 'AlreadyExists')) throw error;
      }
    },
  }),
};
