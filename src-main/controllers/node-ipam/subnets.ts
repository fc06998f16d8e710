// The /24 subnets of an IPv4 network. Pure.

import { PilothouseError } from '../../kit';

const subnetBits = 24;

/** The lowest /24 of `network` that is not taken; undefined when all are. */
export function freeSubnet(network: string, taken: ReadonlySet<string>): string | undefined {
  const { base, count } = subnetsOf(network);
  for (let index = 0; index < count; index++) {
    const address = base + index * 256;
    const cidr = `${[24, 16, 8, 0].map((shift) => (address >>> shift) & 255).join('.')}/${subnetBits}`;
    if (!taken.has(cidr)) return cidr;
  }
  return undefined;
}

function subnetsOf(network: string): { base: number; count: number } {
  const match = /^(\d+)\.(\d+)\.(\d+)\.(\d+)\/(\d+)$/.exec(network);
  const [first = NaN, second = NaN, third = NaN, fourth = NaN, bits = NaN] = match?.slice(1).map(Number) ?? [];
  const valid = [first, second, third, fourth].every((part) => part <= 255) && bits >= 8 && bits <= subnetBits;
  if (!valid) {
    throw new PilothouseError({
      code: 'POD_NETWORK_INVALID',
      message: `"${network}" is not an IPv4 network of /8 to /24`,
      hint: 'Use the form 10.244.0.0/16.',
    });
  }
  const address = ((first << 24) | (second << 16) | (third << 8) | fourth) >>> 0;
  const mask = (0xffffffff << (32 - bits)) >>> 0;
  return { base: (address & mask) >>> 0, count: 2 ** (subnetBits - bits) };
}
