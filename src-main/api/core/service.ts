// core/v1 Service. Cluster addresses and node ports are given out by the API server; here they are kept over updates that
// leave them out, and dropped when the type no longer has them.

import { ageColumn, defineKind } from '../define-kind';
import { jsonEqual } from '../patch';
import { formatLabels } from '../selectors';
import { validateService, validateServiceUpdate } from './service-validation';
import type { Service, ServicePort } from './types';

const nodePortTypes: ReadonlySet<string> = new Set(['NodePort', 'LoadBalancer']);

/** Whether services of this type have a virtual address. */
export function needsClusterIP(service: Service): boolean {
  return service.spec.type !== 'ExternalName';
}

/** Whether services of this type have a port on every node. */
export function needsNodePort(service: Service): boolean {
  if (service.spec.type === 'LoadBalancer') return service.spec.allocateLoadBalancerNodePorts !== false;
  return service.spec.type === 'NodePort';
}

function applyDefaults(service: Service): void {
  const spec = (service.spec ??= {});
  spec.type ||= 'ClusterIP';
  spec.sessionAffinity ||= 'None';
  if (spec.sessionAffinity === 'None') delete spec.sessionAffinityConfig;
  else {
    spec.sessionAffinityConfig ??= {};
    spec.sessionAffinityConfig.clientIP ??= {};
    spec.sessionAffinityConfig.clientIP.timeoutSeconds ??= 10_800;
  }
  for (const port of spec.ports ?? []) {
    port.protocol ||= 'TCP';
    port.targetPort ||= port.port;
  }
  if (nodePortTypes.has(spec.type)) spec.externalTrafficPolicy ||= 'Cluster';
  if (spec.type !== 'ExternalName') spec.internalTrafficPolicy ||= 'Cluster';
  if (spec.type === 'LoadBalancer') spec.allocateLoadBalancerNodePorts ??= true;
  service.status ??= {};
  service.status.loadBalancer ??= {};
}

function samePort(a: ServicePort, b: ServicePort): boolean {
  return a.port === b.port && a.protocol === b.protocol;
}

function keepAllocated(service: Service, old: Service): void {
  const { spec } = service;
  if (needsClusterIP(service) && needsClusterIP(old)) {
    spec.clusterIP ||= old.spec.clusterIP;
    if (!spec.clusterIPs?.length && spec.clusterIP === old.spec.clusterIP) spec.clusterIPs = old.spec.clusterIPs;
    spec.ipFamilies ??= old.spec.ipFamilies;
    spec.ipFamilyPolicy ??= old.spec.ipFamilyPolicy;
  }
  if (needsNodePort(service) && needsNodePort(old)) {
    const taken = new Set((spec.ports ?? []).map(({ nodePort }) => nodePort));
    for (const port of spec.ports ?? []) {
      const before = old.spec.ports?.find((candidate) => samePort(candidate, port));
      if (!port.nodePort && before?.nodePort && !taken.has(before.nodePort)) port.nodePort = before.nodePort;
    }
  }
}

function dropTypeDependent(service: Service, old: Service): void {
  const { spec } = service;
  if (needsClusterIP(old) && !needsClusterIP(service) && spec.clusterIP === old.spec.clusterIP) {
    delete spec.clusterIP;
    delete spec.clusterIPs;
    delete spec.ipFamilies;
    delete spec.ipFamilyPolicy;
  }
  const nodePorts = (from: Service): unknown => (from.spec.ports ?? []).map(({ nodePort }) => nodePort ?? 0);
  if (needsNodePort(old) && !needsNodePort(service) && jsonEqual(nodePorts(old), nodePorts(service))) {
    for (const port of spec.ports ?? []) delete port.nodePort;
  }
  if (!nodePortTypes.has(spec.type ?? '')) delete spec.externalTrafficPolicy;
  if (spec.type !== 'LoadBalancer') delete spec.allocateLoadBalancerNodePorts;
  if (spec.type === 'ExternalName') delete spec.internalTrafficPolicy;
}

function ingressText(service: Service): string {
  const ingress = service.status?.loadBalancer?.ingress ?? [];
  const addresses = ingress.map(({ ip, hostname }) => ip || hostname || '').filter(Boolean);
  return [...new Set(addresses)].sort().join(',');
}

function externalText(service: Service): string {
  const external = service.spec.externalIPs ?? [];
  switch (service.spec.type) {
    case 'ExternalName':
      return service.spec.externalName ?? '';
    case 'LoadBalancer': {
      const all = [ingressText(service), ...external].filter(Boolean).join(',');
      return all || '<pending>';
    }
    default:
      return external.join(',') || '<none>';
  }
}

function portsText(ports: readonly ServicePort[]): string {
  const texts = ports.map(({ port, nodePort, protocol }) =>
    nodePort ? `${port}:${nodePort}/${protocol}` : `${port}/${protocol}`,
  );
  return texts.join(',') || '<none>';
}

export const serviceKind = defineKind<Service>({
  group: '',
  version: 'v1',
  kind: 'Service',
  plural: 'services',
  shortNames: ['svc'],
  categories: ['all'],
  namespaced: true,
  nameFormat: 'dns1035-label',
  schema: 'io.k8s.api.core.v1.Service',
  hasStatus: true,
  statusKeepsLabels: false,
  initialStatus: () => ({ loadBalancer: {} }),
  subresources: ['proxy'],
  applyDefaults,
  prepareForUpdate(service, old) {
    keepAllocated(service, old);
    dropTypeDependent(service, old);
  },
  validate: validateService,
  validateUpdate: validateServiceUpdate,
  selectableFields: {
    'spec.clusterIP': (service) => service.spec.clusterIP ?? '',
    'spec.type': (service) => service.spec.type ?? '',
  },
  columns: [
    { name: 'Type', type: 'string', description: 'How it is exposed.', value: (service) => service.spec.type ?? '' },
    {
      name: 'Cluster-IP',
      type: 'string',
      description: 'Virtual address in the cluster.',
      value: (service) => service.spec.clusterIPs?.[0] || service.spec.clusterIP || '<none>',
    },
    { name: 'External-IP', type: 'string', description: 'Address outside the cluster.', value: externalText },
    {
      name: 'Port(s)',
      type: 'string',
      description: 'Ports, with node ports where there are any.',
      value: (service) => portsText(service.spec.ports ?? []),
    },
    ageColumn,
    {
      name: 'Selector',
      type: 'string',
      priority: 1,
      description: 'Labels of the Pods behind it.',
      value: (service) => formatLabels(service.spec.selector),
    },
  ],
});
