// IPv4 networks as numbers, for picking addresses.

import { PilothouseError } from '../../kit';

export interface IpRange {
  readonly cidr: string;
  readonly first: number;
  /** Addresses in the network, its own and the broadcast one included. */
  readonly size: number;
}

export function ipToNumber(ip: string): number | undefined {
  const parts = ip.split('.');
  if (parts.length !== 4) return undefined;
  let value = 0;
  for (const part of parts) {
    if (!/^(0|[1-9]\d{0,2})$/.test(part) || Number(part) > 255) return undefined;
    value = value * 256 + Number(part);
  }
  return value;
}

export function numberToIp(value: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join('.');
}

/** Throws CIDR_INVALID. */
export function parseIpRange(cidr: string): IpRange {
  const [ip = '', bits = ''] = cidr.split('/');
  const value = ipToNumber(ip);
  const length = Number(bits);
  if (value === undefined || !/^\d{1,2}$/.test(bits) || length > 30) {
    throw new PilothouseError({ code: 'CIDR_INVALID', message: `"${cidr}" is not an IPv4 network for Services` });
  }
  const size = 2 ** (32 - length);
  return { cidr, first: Math.floor(value / size) * size, size };
}

/** Whether an address may be given to a Service: inside, and neither the network's own nor the broadcast address. */
export function isUsable(range: IpRange, value: number): boolean {
  return value > range.first && value < range.first + range.size - 1;
}
