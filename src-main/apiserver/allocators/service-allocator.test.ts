import { describe, expect, it } from 'vitest';
import { findKind, type Service, type ServiceSpec } from '../../api';
import { Codec } from '../registry/codec';
import { WatchCache } from '../watch-cache/watch-cache';
import { ServiceAllocator } from './service-allocator';

const codec = new Codec(findKind('', 'v1', 'services')!);
const prefix = '/registry/services/specs/';

function setUp(network = '10.96.0.0/29', nodePorts = { from: 30000, to: 30002 }) {
  const cache = new WatchCache(prefix, codec);
  cache.load([], 1);
  const allocator = new ServiceAllocator({ network, nodePorts });
  allocator.follow(cache);
  let revision = 1;
  const create = (name: string, spec: Partial<ServiceSpec>): Service => {
    const service = { metadata: { name, namespace: 'a' }, spec: { type: 'ClusterIP', ...spec } } as Service;
    const reservation = allocator.reserve(service, undefined);
    cache.apply({ key: `${prefix}a/${name}`, value: codec.encode(service), revision: ++revision });
    reservation?.commit();
    return service;
  };
  const remove = (name: string) => cache.apply({ key: `${prefix}a/${name}`, value: undefined, revision: ++revision });
  return { allocator, cache, create, remove };
}

describe('ServiceAllocator', () => {
  it('gives every address once, never the first, and takes back what is deleted', () => {
    const { create, remove, allocator } = setUp();
    expect(allocator.firstAddress).toBe('10.96.0.1');
    const given = ['s1', 's2', 's3', 's4', 's5'].map((name) => create(name, {}).spec.clusterIP);
    expect([...given].sort()).toEqual([2, 3, 4, 5, 6].map((last) => `10.96.0.${last}`));
    expect(() => create('s6', {})).toThrow('range is full');
    remove('s3');
    expect(create('s6', {}).spec.clusterIP).toBe(given[2]);
  });

  it('fills the fields of a single-stack cluster, or none for names outside', () => {
    const { create } = setUp();
    expect(create('one', {}).spec).toMatchObject({ ipFamilies: ['IPv4'], ipFamilyPolicy: 'SingleStack' });
    expect(create('none', { clusterIP: 'None' }).spec.clusterIPs).toEqual(['None']);
    expect(create('ext', { type: 'ExternalName', externalName: 'x.y' }).spec.clusterIPs).toBeUndefined();
  });

  it.each([
    ['10.96.0.2', 'provided IP is already allocated'],
    ['10.96.0.1', 'provided IP is already allocated'],
    ['10.96.0.7', 'is not in the valid range. The range of valid IPs is 10.96.0.0/29'],
    ['10.97.0.2', 'is not in the valid range'],
  ])('refuses %s', (clusterIP, why) => {
    const { create } = setUp();
    create('first', { clusterIP: '10.96.0.2' });
    expect(() => create('second', { clusterIP })).toThrow(why);
  });

  it('gives node ports, honours wished ones and gives all back when one is refused', () => {
    const { create } = setUp();
    const type = 'NodePort';
    const first = create('first', { type, ports: [{ port: 80 }, { port: 81, nodePort: 30001 }] });
    const taken = first.spec.ports!.map(({ nodePort }) => nodePort!);
    expect(taken[1]).toBe(30001);
    expect(new Set(taken).size).toBe(2);
    const free = [30000, 30001, 30002].find((port) => !taken.includes(port))!;
    const bad = {
      type,
      ports: [
        { port: 80, nodePort: free },
        { port: 81, nodePort: 30001 },
      ],
    };
    expect(() => create('second', bad)).toThrow(
      'spec.ports[1].nodePort: Invalid value: 30001: provided port is already allocated',
    );
    expect(() => create('second', { type, ports: [{ port: 1, nodePort: 99 }] })).toThrow(
      'The range of valid ports is 30000-30002',
    );
    expect(create('second', { type, ports: [{ port: 80 }] }).spec.ports![0]!.nodePort).toBe(free);
    expect(() => create('third', { type, ports: [{ port: 80 }] })).toThrow('range is full');
  });

  it('keeps the same number for two protocols of one port', () => {
    const { create } = setUp();
    const ports = [
      { name: 'u', port: 53, protocol: 'UDP', nodePort: 30000 },
      { name: 't', port: 53, protocol: 'TCP', nodePort: 30000 },
    ];
    expect(create('dns', { type: 'NodePort', ports }).spec.ports).toHaveLength(2);
  });
});
