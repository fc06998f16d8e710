// UDP has no end of a connection: what the kernel remembers of an endpoint that is gone would go on blackholing its
// clients. Says which entries must be forgotten after a change.

import type { ServicePortEntry } from './service-ports';

const udp = (ports: readonly ServicePortEntry[]) =>
  new Map(ports.filter((port) => port.protocol === 'udp').map((port) => [port.name, port]));

/** Commands that forget the entries of removed endpoints, and of Services that had none and got the first. */
export function staleConnections(before: readonly ServicePortEntry[], after: readonly ServicePortEntry[]): string[][] {
  const now = udp(after);
  const old = udp(before);
  const out: string[][] = [];
  for (const [name, port] of old) {
    const left = new Set(now.get(name)?.endpoints.map(({ ip }) => ip));
    for (const { ip } of port.endpoints) {
      if (left.has(ip)) continue;
      out.push(['conntrack', '-D', '-p', 'udp', '--orig-dst', port.clusterIP, '--dst-nat', ip]);
      if (port.nodePort > 0) {
        out.push(['conntrack', '-D', '-p', 'udp', '--orig-port-dst', String(port.nodePort), '--dst-nat', ip]);
      }
    }
  }
  for (const [name, port] of now) {
    if (port.endpoints.length === 0 || (old.get(name)?.endpoints.length ?? 0) > 0) continue;
    out.push(['conntrack', '-D', '-p', 'udp', '--orig-dst', port.clusterIP]);
    if (port.nodePort > 0) out.push(['conntrack', '-D', '-p', 'udp', '--orig-port-dst', String(port.nodePort)]);
  }
  return out;
}
