// What a cluster has from its first moment: the system's namespaces and the `kubernetes` Service with its endpoints.
// Made at each start, changed only where it differs.

import type { EndpointSlice, Endpoints, KubeObject, Service } from '../../api';
import { ApiError, type Client, type Resource } from '../../client';

export interface BootstrapOptions {
  client: Client;
  clusterIP: string;
  advertise: { address: string; port: number };
}

const systemNamespaces = ['default', 'kube-system', 'kube-public', 'kube-node-lease'];
const core = (plural: string, namespaced = true): Resource => ({ group: '', version: 'v1', plural, namespaced });
const slices: Resource = { group: 'discovery.k8s.io', version: 'v1', plural: 'endpointslices', namespaced: true };
const labels = { component: 'apiserver', provider: 'kubernetes' };

/** Creates what is missing and brings endpoints to where this server is. */
export async function bootstrapObjects(options: BootstrapOptions): Promise<void> {
  const { client } = options;
  for (const name of systemNamespaces) {
    const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name } };
    await createIfMissing(client, core('namespaces', false), namespace);
  }
  await createIfMissing(client, core('services'), serviceOf(options.clusterIP));
  await createOrReplace(client, core('endpoints'), endpointsOf(options.advertise));
  await createOrReplace(client, slices, sliceOf(options.advertise));
}

function serviceOf(clusterIP: string): Service {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'kubernetes', namespace: 'default', labels },
    spec: {
      type: 'ClusterIP',
      clusterIP,
      clusterIPs: [clusterIP],
      ports: [{ name: 'https', protocol: 'TCP', port: 443, targetPort: 6443 }],
      sessionAffinity: 'None',
    },
  };
}

function endpointsOf({ address, port }: BootstrapOptions['advertise']): Endpoints {
  return {
    apiVersion: 'v1',
    kind: 'Endpoints',
    metadata: {
      name: 'kubernetes',
      namespace: 'default',
      labels: { 'endpointslice.kubernetes.io/skip-mirror': 'true' },
    },
    subsets: [{ addresses: [{ ip: address }], ports: [{ name: 'https', port, protocol: 'TCP' }] }],
  };
}

function sliceOf({ address, port }: BootstrapOptions['advertise']): EndpointSlice {
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: 'kubernetes', namespace: 'default', labels: { 'kubernetes.io/service-name': 'kubernetes' } },
    addressType: 'IPv4',
    endpoints: [{ addresses: [address], conditions: { ready: true } }],
    ports: [{ name: 'https', port, protocol: 'TCP' }],
  };
}

async function createIfMissing(client: Client, resource: Resource, object: KubeObject): Promise<boolean> {
  try {
    await client.create(resource, object);
    return true;
  } catch (error) {
    if (ApiError.is(error, 'AlreadyExists')) return false;
    throw error;
  }
}

async function createOrReplace(client: Client, resource: Resource, object: KubeObject): Promise<void> {
  if (await createIfMissing(client, resource, object)) return;
  await client.update(resource, object);
}
