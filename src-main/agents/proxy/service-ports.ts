// Services and EndpointSlices as what the rules need: one entry per Service port with the endpoints that take traffic.

import type { EndpointSlice, Service } from '../../api';

export interface ProxyEndpoint {
  ip: string;
  port: number;
  /** On this node. */
  local: boolean;
}

export interface ServicePortEntry {
  /** namespace/name:port, or namespace/name when the port has no name. */
  name: string;
  protocol: 'tcp' | 'udp' | 'sctp';
  clusterIP: string;
  port: number;
  nodePort: number;
  /** External IPs and load balancer IPs. */
  externalIPs: string[];
  /** Seconds of client affinity; 0 = none. */
  affinitySeconds: number;
  internalLocal: boolean;
  externalLocal: boolean;
  endpoints: ProxyEndpoint[];
}

const serviceLabel = 'kubernetes.io/service-name';

type Candidate = ProxyEndpoint & { ready: boolean; serving: boolean };

function candidates(slices: readonly EndpointSlice[], portName: string, nodeName: string): Candidate[] {
  const found = new Map<string, Candidate>();
  for (const slice of slices) {
    if (slice.addressType !== 'IPv4') continue;
    const port = slice.ports?.find((entry) => (entry.name ?? '') === portName)?.port;
    if (port === undefined) continue;
    for (const { addresses, conditions, nodeName: host } of slice.endpoints ?? []) {
      const ip = addresses[0];
      if (!ip) continue;
      const ready = conditions?.ready ?? true;
      const serving = conditions?.serving ?? ready;
      const before = found.get(`${ip}:${port}`);
      if (before?.ready) continue;
      found.set(`${ip}:${port}`, { ip, port, local: host === nodeName, ready, serving });
    }
  }
  return [...found.values()].sort((a, b) => (a.ip === b.ip ? a.port - b.port : a.ip < b.ip ? -1 : 1));
}

/** Ready ones; when there are none, those that end but still serve (KEP-1669). */
function usable(all: readonly Candidate[]): ProxyEndpoint[] {
  const ready = all.filter((entry) => entry.ready);
  const chosen = ready.length > 0 ? ready : all.filter((entry) => entry.serving);
  return chosen.map(({ ip, port, local }) => ({ ip, port, local }));
}

/** Sorted by name. Headless and external-name Services have no rules. */
export function servicePorts(
  services: readonly Service[],
  slices: readonly EndpointSlice[],
  nodeName: string,
): ServicePortEntry[] {
  const byService = new Map<string, EndpointSlice[]>();
  for (const slice of slices) {
    const name = slice.metadata.labels?.[serviceLabel];
    if (!name) continue;
    const key = `${slice.metadata.namespace}/${name}`;
    byService.set(key, [...(byService.get(key) ?? []), slice]);
  }
  const out: ServicePortEntry[] = [];
  for (const { metadata, spec, status } of services) {
    const { clusterIP, type } = spec;
    if (!clusterIP || clusterIP === 'None' || clusterIP.includes(':') || type === 'ExternalName') continue;
    const key = `${metadata.namespace}/${metadata.name}`;
    const balancers = (status?.loadBalancer?.ingress ?? []).flatMap(({ ip }) => (ip ? [ip] : []));
    const affinity = spec.sessionAffinity === 'ClientIP';
    for (const port of spec.ports ?? []) {
      out.push({
        name: port.name ? `${key}:${port.name}` : key,
        protocol: (port.protocol ?? 'TCP').toLowerCase() as ServicePortEntry['protocol'],
        clusterIP,
        port: port.port,
        nodePort: port.nodePort ?? 0,
        externalIPs: [...(spec.externalIPs ?? []), ...balancers],
        affinitySeconds: affinity ? (spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? 10_800) : 0,
        internalLocal: spec.internalTrafficPolicy === 'Local',
        externalLocal: spec.externalTrafficPolicy === 'Local',
        endpoints: usable(candidates(byService.get(key) ?? [], port.name ?? '', nodeName)),
      });
    }
  }
  return out.sort((a, b) => (a.name < b.name ? -1 : 1));
}
