import { describe, expect, test } from 'vitest';
import type { Node } from '../../api';
import { gatewayOf } from './pod-network';
import { podNetworkRules } from './pod-network-rules';
import { parseRoutes, planRoutes } from './routes';

const node = (name: string, podCIDR?: string, ip?: string): Node => ({
  metadata: { name },
  spec: { podCIDR },
  status: { addresses: ip ? [{ type: 'InternalIP', address: ip }] : [] },
});

describe('planRoutes', () => {
  const self = node('node-1', '10.244.0.0/24', '192.168.77.11');
  const other = node('node-2', '10.244.1.0/24', '192.168.77.12');
  const present = [{ cidr: '10.244.1.0/24', via: '192.168.77.12' }];

  test.each([
    ['another node gets a route', [self, other], [], { replace: present, remove: [] }],
    ['once', [self, other], present, { replace: [], remove: [] }],
    [
      'a moved node is followed',
      [self, node('node-2', '10.244.1.0/24', '192.168.77.99')],
      present,
      { replace: [{ cidr: '10.244.1.0/24', via: '192.168.77.99' }], remove: [] },
    ],
    ['a node that left loses it', [self], present, { replace: [], remove: present }],
    [
      'a node without CIDR or address has none',
      [self, node('a', undefined, '1.2.3.4'), node('b', '10.244.9.0/24')],
      [],
      { replace: [], remove: [] },
    ],
  ])('%s', (_title, nodes, kernel, expected) => {
    expect(planRoutes(nodes, 'node-1', kernel)).toEqual(expected);
  });
});

test('routes as ip shows them', () => {
  expect(parseRoutes('[{"dst":"10.244.1.0/24","gateway":"192.168.77.12","dev":"eth1","protocol":"80"}]')).toEqual([
    { cidr: '10.244.1.0/24', via: '192.168.77.12' },
  ]);
  expect(parseRoutes('')).toEqual([]);
});

test.each([
  ['10.244.3.0/24', '10.244.3.1'],
  ['10.244.3.128/25', '10.244.3.129'],
  ['172.16.0.0/16', '172.16.0.1'],
])('the bridge of %s is %s', (cidr, gateway) => {
  expect(gatewayOf(cidr)).toBe(gateway);
});

test('rules of the Pod network', () => {
  expect(podNetworkRules('10.244.0.0/16')).toMatchSnapshot();
});
