// The rules of the Pod network itself, besides kube-proxy's: Pods may be forwarded, and what leaves the Pod network
// leaves under the node's own address.

import type { Jump } from './iptables';

export const masqueradeChain = 'PILOTHOUSE-MASQ';
export const forwardChain = 'PILOTHOUSE-FORWARD';

export const podNetworkJumps: readonly Jump[] = [
  { table: 'nat', chain: 'POSTROUTING', target: masqueradeChain },
  { table: 'filter', chain: 'FORWARD', target: forwardChain },
];

/** `cidr` is the whole Pod network, of all nodes. */
export function podNetworkRules(cidr: string): string {
  return [
    '*nat',
    `:${masqueradeChain} - [0:0]`,
    `-A ${masqueradeChain} -s ${cidr} -d ${cidr} -j RETURN`,
    `-A ${masqueradeChain} -s ${cidr} ! -d 224.0.0.0/4 -j MASQUERADE`,
    'COMMIT',
    '*filter',
    `:${forwardChain} - [0:0]`,
    `-A ${forwardChain} -s ${cidr} -j ACCEPT`,
    `-A ${forwardChain} -d ${cidr} -j ACCEPT`,
    'COMMIT',
    '',
  ].join('\n');
}
