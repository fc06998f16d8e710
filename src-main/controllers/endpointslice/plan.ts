// The EndpointSlices of a Service: endpoints of equal ports together, at most a hundred in a slice. An endpoint stays in
// the slice it is in, so that one Pod's change is one slice's change. Pure.

import { type Endpoint, type EndpointPort, type EndpointSlice, jsonEqual, type Service } from '../../api';
import { controllerReference, referenceTo } from '../../client';
import { type Backend, isHeadless } from '../endpoints/backends';

export const managedByLabel = 'endpointslice.kubernetes.io/managed-by';
export const managedByValue = 'endpointslice-controller.k8s.io';
export const serviceNameLabel = 'kubernetes.io/service-name';
const headlessLabel = 'service.kubernetes.io/headless';
const maxEndpoints = 100;

export interface SlicePlan {
  create: EndpointSlice[];
  update: EndpointSlice[];
  delete: EndpointSlice[];
}

interface Group {
  ports: EndpointPort[];
  endpoints: Map<string, Endpoint>;
}

export function planSlices(
  service: Service,
  backends: readonly Backend[],
  current: readonly EndpointSlice[],
): SlicePlan {
  const addressType = service.spec.ipFamilies?.[0] ?? 'IPv4';
  const plan: SlicePlan = { create: [], update: [], delete: [] };
  const groups = groupByPorts(backends);
  // A Service without endpoints has one empty slice, which says that it was looked at.
  if (groups.size === 0) groups.set(portsKey([]), { ports: [], endpoints: new Map() });
  const slicesOf = new Map<string, EndpointSlice[]>();
  for (const slice of current) {
    const key = portsKey(slice.ports ?? []);
    if (slice.addressType !== addressType || !groups.has(key)) plan.delete.push(slice);
    else slicesOf.set(key, [...(slicesOf.get(key) ?? []), slice]);
  }
  for (const [key, group] of groups) planGroup(service, group, slicesOf.get(key) ?? [], plan);
  return plan;
}

function planGroup(service: Service, group: Group, slices: readonly EndpointSlice[], plan: SlicePlan): void {
  const left = new Map(group.endpoints);
  const kept = slices.map((slice) => {
    const endpoints = slice.endpoints.flatMap((endpoint) => {
      const key = endpointKey(endpoint);
      const wanted = left.get(key);
      left.delete(key);
      return wanted ? [wanted] : [];
    });
    return { slice, endpoints };
  });
  const fresh = [...left.values()];
  // Fullest first, so that slices fill up rather than stay half empty.
  for (const { endpoints } of kept.toSorted((a, b) => b.endpoints.length - a.endpoints.length)) {
    endpoints.push(...fresh.splice(0, maxEndpoints - endpoints.length));
  }
  let keptOne = fresh.length > 0;
  for (const { slice, endpoints } of kept) {
    const last = slice === slices.at(-1);
    if (endpoints.length === 0 && (keptOne || !last || group.endpoints.size > 0)) plan.delete.push(slice);
    else {
      keptOne = true;
      const next = { ...slice, metadata: { ...slice.metadata, labels: labelsOf(service) }, endpoints };
      if (!jsonEqual([slice.endpoints, slice.metadata.labels], [endpoints, next.metadata.labels]))
        plan.update.push(next);
    }
  }
  while (fresh.length > 0) plan.create.push(newSlice(service, group.ports, fresh.splice(0, maxEndpoints)));
  if (slices.length === 0 && group.endpoints.size === 0) plan.create.push(newSlice(service, group.ports, []));
}

function newSlice(service: Service, ports: EndpointPort[], endpoints: Endpoint[]): EndpointSlice {
  const { name, namespace } = service.metadata;
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      generateName: `${name}-`,
      namespace,
      labels: labelsOf(service),
      ownerReferences: [controllerReference({ apiVersion: 'v1', kind: 'Service' }, service)],
    },
    addressType: service.spec.ipFamilies?.[0] ?? 'IPv4',
    endpoints,
    ports,
  };
}

function labelsOf(service: Service): Record<string, string> {
  return {
    ...service.metadata.labels,
    [serviceNameLabel]: service.metadata.name ?? '',
    [managedByLabel]: managedByValue,
    ...(isHeadless(service) ? { [headlessLabel]: '' } : {}),
  };
}

function groupByPorts(backends: readonly Backend[]): Map<string, Group> {
  const groups = new Map<string, Group>();
  for (const backend of backends) {
    const ports = backend.ports.map((port) => ({ name: '', ...port }));
    const key = portsKey(ports);
    const group = groups.get(key) ?? { ports, endpoints: new Map() };
    groups.set(key, group);
    const endpoint = endpointOf(backend);
    group.endpoints.set(endpointKey(endpoint), endpoint);
  }
  return groups;
}

function portsKey(ports: readonly EndpointPort[]): string {
  return ports
    .map(({ name = '', port, protocol = 'TCP', appProtocol = '' }) => `${name}/${port}/${protocol}/${appProtocol}`)
    .sort()
    .join(',');
}

function endpointKey({ addresses, targetRef }: Endpoint): string {
  return `${addresses[0]} ${targetRef?.uid}`;
}

function endpointOf({ pod, ip, ready, serving, terminating }: Backend): Endpoint {
  const { resourceVersion: _, ...targetRef } = referenceTo({ apiVersion: 'v1', kind: 'Pod' }, pod);
  const { nodeName, hostname, subdomain } = pod.spec;
  return {
    addresses: [ip],
    conditions: { ready, serving, terminating },
    ...(hostname && subdomain ? { hostname } : {}),
    targetRef,
    ...(nodeName ? { nodeName } : {}),
  };
}
