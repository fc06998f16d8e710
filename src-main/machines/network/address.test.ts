import { describe, expect, it } from 'vitest';
import { addressOf, macOf, networkCapacity, parseNetwork } from './address';

describe('node network', () => {
  it('numbers machines from the first address, also across octets', () => {
    const network = parseNetwork('192.168.77.0/24');
    expect(addressOf(network, 1)).toBe('192.168.77.1');
    expect(networkCapacity(network)).toBe(254);
    expect(addressOf(parseNetwork('10.1.0.0/16'), 300)).toBe('10.1.1.44');
    expect(addressOf(parseNetwork('192.168.77.9/24'), 2)).toBe('192.168.77.2');
  });

  it.each(['192.168.77.0', '300.1.1.0/24', '10.0.0.0/31', 'fd00::/64', ''])('refuses %j', (text) => {
    expect(() => parseNetwork(text)).toThrow(/not an IPv4 network/);
  });

  it('gives every NIC of every machine its own address', () => {
    expect(macOf(2, 1)).toBe('52:54:00:71:00:02');
    expect(macOf(300, 0)).toBe('52:54:00:70:01:2c');
  });
});
