// The Endpoints of a Service: addresses grouped by the ports they answer on. Pure.

import { type EndpointAddress, type Endpoints, type EndpointSubset, jsonEqual, type Service } from '../../api';
import { referenceTo } from '../../client';
import { type Backend, isHeadless } from './backends';

const overCapacity = 'endpoints.kubernetes.io/over-capacity';
const headlessLabel = 'service.kubernetes.io/headless';
const managedBy = 'endpoints.kubernetes.io/managed-by';
const maxAddresses = 1000;

/** What the Endpoints of this Service ought to be; `current` lends annotations that are not ours. */
export function planEndpoints(
  service: Service,
  backends: readonly Backend[],
  current: Endpoints | undefined,
): Endpoints {
  const { name, namespace, labels } = service.metadata;
  const publishNotReady = service.spec.publishNotReadyAddresses ?? false;
  const listed = backends.filter(({ terminating }) => publishNotReady || !terminating);
  const shown = listed.slice(0, maxAddresses);
  const annotations = { ...current?.metadata.annotations };
  if (shown.length < listed.length) annotations[overCapacity] = 'truncated';
  else delete annotations[overCapacity];
  return {
    apiVersion: 'v1',
    kind: 'Endpoints',
    metadata: {
      name,
      namespace,
      ...(current ? { resourceVersion: current.metadata.resourceVersion } : {}),
      labels: {
        ...labels,
        [managedBy]: 'endpoint-controller',
        ...(isHeadless(service) ? { [headlessLabel]: '' } : {}),
      },
      ...(Object.keys(annotations).length > 0 ? { annotations } : {}),
    },
    subsets: subsetsOf(shown),
  };
}

function subsetsOf(backends: readonly Backend[]): EndpointSubset[] {
  const groups = new Map<string, Backend[]>();
  for (const backend of backends) {
    const ports = JSON.stringify(backend.ports);
    const group = groups.get(ports);
    if (group) group.push(backend);
    else groups.set(ports, [backend]);
  }
  return [...groups.values()].map((group) => {
    const ready = group.filter((backend) => backend.ready).map(addressOf);
    const notReady = group.filter((backend) => !backend.ready).map(addressOf);
    return {
      ...(ready.length > 0 ? { addresses: ready } : {}),
      ...(notReady.length > 0 ? { notReadyAddresses: notReady } : {}),
      ...(group[0]!.ports.length > 0 ? { ports: group[0]!.ports } : {}),
    };
  });
}

function addressOf({ pod, ip }: Backend): EndpointAddress {
  const { resourceVersion: _, ...targetRef } = referenceTo({ apiVersion: 'v1', kind: 'Pod' }, pod);
  const { nodeName, hostname, subdomain } = pod.spec;
  return { ip, ...(hostname && subdomain ? { hostname } : {}), ...(nodeName ? { nodeName } : {}), targetRef };
}

export function endpointsDiffer(current: Endpoints, next: Endpoints): boolean {
  const facts = ({ metadata, subsets }: Endpoints) => [
    metadata.labels ?? {},
    metadata.annotations ?? {},
    subsets ?? [],
  ];
  return !jsonEqual(facts(current), facts(next));
}
