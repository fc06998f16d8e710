// Publishes the cluster's CA as ConfigMap kube-root-ca.crt in every namespace, for Pods to trust the API server by.

import { type ConfigMap, type Namespace, resources } from '../../api';
import { ApiError } from '../../client';
import { type ControllerDeclaration, mapped, primary } from '../engine';

const configMapName = 'kube-root-ca.crt';
const key = 'ca.crt';
const annotations = {
  'kubernetes.io/description':
    'Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters.',
};

export const rootCertificateController: ControllerDeclaration = {
  name: 'root-certificate',
  component: 'root-ca-certificate-publisher',
  watches: () => [
    primary(resources.namespaces),
    mapped<ConfigMap>(resources.configmaps, ({ object }) =>
      object.metadata.name === configMapName ? [object.metadata.namespace ?? ''] : [],
    ),
  ],
  create: ({ informers, client, settings }) => ({
    async reconcile(name) {
      const { rootCertificate } = settings;
      const namespace = informers.lister<Namespace>(resources.namespaces).get(name);
      if (!rootCertificate || !namespace || namespace.metadata.deletionTimestamp) return;
      const current = informers.lister<ConfigMap>(resources.configmaps).get(`${name}/${configMapName}`);
      const data = { [key]: rootCertificate };
      if (current) {
        if (current.data?.[key] === rootCertificate && Object.keys(current.data).length === 1) return;
        await client.update(resources.configmaps, { ...current, data });
        return;
      }
      const metadata = { name: configMapName, namespace: name, annotations };
      try {
        const object: ConfigMap = { apiVersion: 'v1', kind: 'ConfigMap', metadata, data };
        await client.create(resources.configmaps, object, { namespace: name });
      } catch (error) {
        if (!ApiError.is(error, 'AlreadyExists')) throw error;
      }
    },
  }),
};
