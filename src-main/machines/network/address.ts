// Addresses that follow from a machine's number: pure arithmetic on the node network.

import { PilothouseError } from '../../kit';

export interface NodeNetwork {
  /** First address as a 32-bit number. */
  base: number;
  prefixLength: number;
}

/** Parses `a.b.c.d/len`; throws INVALID_NETWORK for anything else or for a network too small for two nodes. */
export function parseNetwork(cidr: string): NodeNetwork {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\/(\d{1,2})$/.exec(cidr);
  const octets = match?.slice(1, 5).map(Number) ?? [];
  const prefixLength = Number(match?.[5]);
  if (!match || octets.some((octet) => octet > 255) || prefixLength < 8 || prefixLength > 29) {
    throw new PilothouseError({
      code: 'INVALID_NETWORK',
      message: `"${cidr}" is not an IPv4 network for nodes`,
      hint: 'Write it as 192.168.77.0/24, with a prefix length from 8 to 29.',
    });
  }
  const value = octets.reduce((sum, octet) => sum * 256 + octet, 0);
  const size = 2 ** (32 - prefixLength);
  return { base: value - (value % size), prefixLength };
}

/** How many machines the network can hold. */
export function networkCapacity(network: NodeNetwork): number {
  return 2 ** (32 - network.prefixLength) - 2;
}

/** The address of machine `number` (from 1), e.g. 192.168.77.1. */
export function addressOf(network: NodeNetwork, number: number): string {
  const value = network.base + number;
  return [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join('.');
}

/** Locally administered MAC of a machine's NIC: 0 = user-mode network, 1 = node network. */
export function macOf(number: number, nic: 0 | 1): string {
  const hex = (value: number) => value.toString(16).padStart(2, '0');
  return `52:54:00:7${nic}:${hex(Math.floor(number / 256) % 256)}:${hex(number % 256)}`;
}
