// Service ports as an iptables-restore payload, in the chains people know from upstream's kube-proxy. Pure: the same
// input gives the same text, so that an unchanged payload need not be written again.
//
// A packet to 10.96.0.5:80: KUBE-SERVICES → KUBE-SVC-… (masquerade mark when it comes from outside the Pod network,
// then one endpoint by chance) → KUBE-SEP-… (masquerade mark when the Pod calls itself, then DNAT).

import { createHash } from 'node:crypto';
import { type Jump, type Table, jumpLine } from '../network/iptables';
import type { ProxyEndpoint, ServicePortEntry } from './service-ports';

export interface RulesInput {
  ports: readonly ServicePortEntry[];
  /** The Pod network; traffic to a Service from elsewhere is masqueraded. Empty = nothing is known to be inside. */
  clusterCIDR: string;
  /** Chains of earlier payloads that the nat table still has. */
  present: readonly string[];
  /** Jumps from built-in chains that the kernel lacks; one that is given but present would be there twice. */
  missingJumps?: readonly Jump[];
}

const mark = '0x4000';

/** Where packets enter our chains. All of a table come with its rules at once: in between there is no state. */
export const proxyJumps: readonly Jump[] = [
  { table: 'filter', chain: 'FORWARD', target: 'KUBE-FORWARD', first: true },
  ...['FORWARD', 'OUTPUT'].map(
    (chain): Jump => ({
      table: 'filter',
      chain,
      target: 'KUBE-SERVICES',
      match: ['-m', 'conntrack', '--ctstate', 'NEW'],
      first: true,
    }),
  ),
  ...['INPUT', 'FORWARD'].map(
    (chain): Jump => ({
      table: 'filter',
      chain,
      target: 'KUBE-EXTERNAL-SERVICES',
      match: ['-m', 'conntrack', '--ctstate', 'NEW'],
      first: true,
    }),
  ),
  { table: 'nat', chain: 'POSTROUTING', target: 'KUBE-POSTROUTING', first: true },
  { table: 'nat', chain: 'PREROUTING', target: 'KUBE-SERVICES', first: true },
  { table: 'nat', chain: 'OUTPUT', target: 'KUBE-SERVICES', first: true },
];

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** The first 16 characters of the base32 form of the SHA-256: how upstream names its chains. */
export function chainHash(text: string): string {
  const digest = createHash('sha256').update(text).digest();
  let bits = 0n;
  for (const byte of digest.subarray(0, 10)) bits = (bits << 8n) | BigInt(byte);
  return Array.from({ length: 16 }, (_, index) => alphabet[Number((bits >> BigInt(75 - index * 5)) & 31n)]).join('');
}

export function endpointChain(port: ServicePortEntry, endpoint: ProxyEndpoint): string {
  return `KUBE-SEP-${chainHash(`${port.name}${port.protocol}${endpoint.ip}:${endpoint.port}`)}`;
}

export function serviceChains(port: ServicePortEntry) {
  const hash = chainHash(port.name + port.protocol);
  return { cluster: `KUBE-SVC-${hash}`, local: `KUBE-SVL-${hash}`, external: `KUBE-EXT-${hash}` };
}

class Payload {
  readonly chains = new Set(['KUBE-SERVICES', 'KUBE-NODEPORTS', 'KUBE-POSTROUTING', 'KUBE-MARK-MASQ']);
  readonly services: string[] = [];
  readonly nodePorts: string[] = [];
  readonly bodies: string[] = [];
  readonly rejects: string[] = [];
  readonly externalRejects: string[] = [];

  constructor(private readonly clusterCIDR: string) {}

  add(port: ServicePortEntry): void {
    const { name, protocol, clusterIP } = port;
    const chains = serviceChains(port);
    const local = port.endpoints.filter((endpoint) => endpoint.local);
    const internal = port.internalLocal ? local : port.endpoints;
    const match = (address: string) => `-m ${protocol} -p ${protocol} -d ${address}/32 --dport ${port.port}`;
    const comment = (text: string) => `-m comment --comment "${name} ${text}"`;
    if (internal.length === 0) {
      this.rejects.push(`-A KUBE-SERVICES ${comment('has no endpoints')} ${match(clusterIP)} -j REJECT`);
    } else {
      const target = port.internalLocal ? chains.local : chains.cluster;
      this.services.push(`-A KUBE-SERVICES ${comment('cluster IP')} ${match(clusterIP)} -j ${target}`);
    }
    const exposed = port.nodePort > 0 || port.externalIPs.length > 0;
    const external = port.externalLocal ? local : port.endpoints;
    if (exposed && external.length === 0) this.rejectExternal(port, match, comment('has no endpoints'));
    if (exposed && port.endpoints.length > 0) {
      for (const address of port.externalIPs) {
        this.services.push(`-A KUBE-SERVICES ${comment('external IP')} ${match(address)} -j ${chains.external}`);
      }
      if (port.nodePort > 0) {
        const words = `-m comment --comment "${name}" -m ${protocol} -p ${protocol} --dport ${port.nodePort}`;
        this.nodePorts.push(`-A KUBE-NODEPORTS ${words} -j ${chains.external}`);
      }
      this.addExternal(port, local.length > 0);
    }
    if (port.endpoints.length > 0) this.addBalancer(port, chains.cluster, port.endpoints);
    if (local.length > 0 && (port.internalLocal || (exposed && port.externalLocal))) {
      this.addBalancer(port, chains.local, local);
    }
    for (const endpoint of port.endpoints) this.addEndpoint(port, endpoint);
  }

  private rejectExternal(port: ServicePortEntry, match: (address: string) => string, comment: string): void {
    for (const address of port.externalIPs) {
      this.externalRejects.push(`-A KUBE-EXTERNAL-SERVICES ${comment} ${match(address)} -j REJECT`);
    }
    if (port.nodePort === 0) return;
    const words = `-m addrtype --dst-type LOCAL -m ${port.protocol} -p ${port.protocol} --dport ${port.nodePort}`;
    // Without a local endpoint the node keeps silent, so that a balancer turns to another node.
    const verdict = port.externalLocal && port.endpoints.length > 0 ? 'DROP' : 'REJECT';
    this.externalRejects.push(`-A KUBE-EXTERNAL-SERVICES ${comment} ${words} -j ${verdict}`);
  }

  private addExternal(port: ServicePortEntry, hasLocal: boolean): void {
    const { cluster, local, external } = serviceChains(port);
    this.chains.add(external);
    if (!port.externalLocal) {
      this.bodies.push(
        `-A ${external} -m comment --comment "masquerade traffic for ${port.name} external destinations" -j KUBE-MARK-MASQ`,
        `-A ${external} -j ${cluster}`,
      );
      return;
    }
    if (this.clusterCIDR) {
      const why = `-m comment --comment "pod traffic for ${port.name} external destinations"`;
      this.bodies.push(`-A ${external} ${why} -s ${this.clusterCIDR} -j ${cluster}`);
    }
    const own = '-m addrtype --src-type LOCAL';
    this.bodies.push(
      `-A ${external} -m comment --comment "masquerade LOCAL traffic for ${port.name} external destinations" ${own} -j KUBE-MARK-MASQ`,
      `-A ${external} -m comment --comment "route LOCAL traffic for ${port.name} external destinations" ${own} -j ${cluster}`,
    );
    if (hasLocal) this.bodies.push(`-A ${external} -j ${local}`);
  }

  private addBalancer(port: ServicePortEntry, chain: string, endpoints: readonly ProxyEndpoint[]): void {
    const { name, protocol, clusterIP } = port;
    this.chains.add(chain);
    if (this.clusterCIDR) {
      const words = `-m comment --comment "${name} cluster IP" -m ${protocol} -p ${protocol} -d ${clusterIP}/32 --dport ${port.port}`;
      this.bodies.push(`-A ${chain} ${words} ! -s ${this.clusterCIDR} -j KUBE-MARK-MASQ`);
    }
    for (const endpoint of port.affinitySeconds > 0 ? endpoints : []) {
      const target = endpointChain(port, endpoint);
      const recent = `-m recent --name ${target} --rcheck --seconds ${port.affinitySeconds} --reap`;
      this.bodies.push(
        `-A ${chain} -m comment --comment "${name} -> ${endpoint.ip}:${endpoint.port}" ${recent} -j ${target}`,
      );
    }
    for (const [index, endpoint] of endpoints.entries()) {
      const left = endpoints.length - index;
      const chance = left > 1 ? ` -m statistic --mode random --probability ${(1 / left).toFixed(10)}` : '';
      const words = `-m comment --comment "${name} -> ${endpoint.ip}:${endpoint.port}"${chance}`;
      this.bodies.push(`-A ${chain} ${words} -j ${endpointChain(port, endpoint)}`);
    }
  }

  private addEndpoint(port: ServicePortEntry, endpoint: ProxyEndpoint): void {
    const chain = endpointChain(port, endpoint);
    if (this.chains.has(chain)) return;
    this.chains.add(chain);
    const comment = `-m comment --comment "${port.name}"`;
    const remember = port.affinitySeconds > 0 ? ` -m recent --name ${chain} --set` : '';
    this.bodies.push(
      `-A ${chain} ${comment} -s ${endpoint.ip}/32 -j KUBE-MARK-MASQ`,
      `-A ${chain} ${comment}${remember} -m ${port.protocol} -p ${port.protocol} -j DNAT --to-destination ${endpoint.ip}:${endpoint.port}`,
    );
  }
}

export interface RulesPayload {
  text: string;
  /** All chains of the nat table that the payload defines. */
  chains: string[];
}

export function buildRules(input: RulesInput): RulesPayload {
  const payload = new Payload(input.clusterCIDR);
  for (const port of input.ports) payload.add(port);
  const ours = /^KUBE-(SVC|SVL|EXT|SEP)-/;
  const stale = input.present.filter((chain) => ours.test(chain) && !payload.chains.has(chain));
  const jumps = (table: Table) => (input.missingJumps ?? []).filter((jump) => jump.table === table).map(jumpLine);
  // Filter before nat: what may be refused is refused by the time that anything is sent to an endpoint.
  const text = [
    '*filter',
    ...['KUBE-SERVICES', 'KUBE-EXTERNAL-SERVICES', 'KUBE-FORWARD'].map((chain) => `:${chain} - [0:0]`),
    ...payload.rejects,
    ...payload.externalRejects,
    '-A KUBE-FORWARD -m conntrack --ctstate INVALID -j DROP',
    `-A KUBE-FORWARD -m comment --comment "kubernetes forwarding rules" -m mark --mark ${mark}/${mark} -j ACCEPT`,
    '-A KUBE-FORWARD -m comment --comment "kubernetes forwarding conntrack rule" -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT',
    ...jumps('filter'),
    'COMMIT',
    '*nat',
    ...[...payload.chains, ...stale].map((chain) => `:${chain} - [0:0]`),
    `-A KUBE-MARK-MASQ -j MARK --or-mark ${mark}`,
    `-A KUBE-POSTROUTING -m mark ! --mark ${mark}/${mark} -j RETURN`,
    `-A KUBE-POSTROUTING -j MARK --xor-mark ${mark}`,
    '-A KUBE-POSTROUTING -m comment --comment "kubernetes service traffic requiring SNAT" -j MASQUERADE --random-fully',
    ...payload.services,
    '-A KUBE-SERVICES -m comment --comment "kubernetes service nodeports" -m addrtype --dst-type LOCAL -j KUBE-NODEPORTS',
    ...payload.nodePorts,
    ...payload.bodies,
    ...jumps('nat'),
    ...stale.map((chain) => `-X ${chain}`),
    'COMMIT',
    '',
  ].join('\n');
  return { text, chains: [...payload.chains] };
}
