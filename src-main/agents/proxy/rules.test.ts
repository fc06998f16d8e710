import { describe, expect, test } from 'vitest';
import type { EndpointSlice, Service, ServiceSpec } from '../../api';
import { staleConnections } from './conntrack';
import { buildRules, chainHash } from './rules';
import { servicePorts } from './service-ports';

const service = (spec: Partial<ServiceSpec> = {}): Service => ({
  metadata: { name: 'web', namespace: 'default' },
  spec: { clusterIP: '10.96.0.5', ports: [{ port: 80 }], ...spec },
});

type Row = [ip: string, node?: string, conditions?: { ready?: boolean; serving?: boolean; terminating?: boolean }];

const slice = (rows: Row[], portName = ''): EndpointSlice => ({
  metadata: { name: 'web-1', namespace: 'default', labels: { 'kubernetes.io/service-name': 'web' } },
  addressType: 'IPv4',
  ports: [{ name: portName, port: 8080 }],
  endpoints: rows.map(([ip, nodeName = 'node-1', conditions = { ready: true }]) => ({
    addresses: [ip],
    nodeName,
    conditions,
  })),
});

function rulesOf(spec: Partial<ServiceSpec>, rows: Row[], present: string[] = []): string {
  const ports = servicePorts([service(spec)], [slice(rows)], 'node-1');
  return buildRules({ ports, clusterCIDR: '10.244.0.0/16', present }).text;
}

describe('buildRules', () => {
  test('a cluster IP with two endpoints, whole', () => {
    expect(rulesOf({}, [['10.244.1.2'], ['10.244.2.3', 'node-2']])).toMatchSnapshot();
  });

  test('chains are named as upstream names them', () => {
    expect(chainHash('default/kubernetes:httpstcp')).toBe('NPX46M4PTMTKRN6Y');
  });

  test('without endpoints a cluster IP is rejected, not routed', () => {
    const text = rulesOf({}, []);
    expect(text).toContain(
      '-A KUBE-SERVICES -m comment --comment "default/web has no endpoints" -m tcp -p tcp -d 10.96.0.5/32 --dport 80 -j REJECT',
    );
    expect(text).not.toContain('KUBE-SVC-');
  });

  test('a node port is masqueraded, unless its traffic stays on the node', () => {
    const ports = [{ port: 80, nodePort: 30_080 }];
    const rows: Row[] = [['10.244.1.2'], ['10.244.2.3', 'node-2']];
    const cluster = rulesOf({ type: 'NodePort', ports }, rows);
    expect(cluster).toMatch(/-A KUBE-NODEPORTS .* --dport 30080 -j KUBE-EXT-/);
    expect(cluster).toMatch(/-A KUBE-EXT-\w+ .* -j KUBE-MARK-MASQ/);
    const local = rulesOf({ type: 'NodePort', ports, externalTrafficPolicy: 'Local' }, rows);
    expect(local.match(/-A KUBE-SVL-\w+ .*-j KUBE-SEP-/g)).toHaveLength(1);
    const elsewhere = rulesOf({ type: 'NodePort', ports, externalTrafficPolicy: 'Local' }, [['10.244.2.3', 'node-2']]);
    expect(elsewhere).toMatch(/-A KUBE-EXTERNAL-SERVICES .* --dport 30080 -j DROP/);
  });

  test('client affinity is remembered for its time', () => {
    const text = rulesOf({ sessionAffinity: 'ClientIP' }, [['10.244.1.2']]);
    expect(text).toMatch(/-m recent --name KUBE-SEP-\w+ --rcheck --seconds 10800 --reap -j KUBE-SEP-/);
    expect(text).toMatch(/-m recent --name KUBE-SEP-\w+ --set -m tcp -p tcp -j DNAT/);
  });

  test('chains of Services that are gone are removed, others are left alone', () => {
    const text = rulesOf({}, [], ['KUBE-SVC-OLD', 'KUBE-SEP-OLD', 'KUBE-SERVICES', 'KUBE-HOSTPORTS']);
    expect(text).toContain('-X KUBE-SVC-OLD\n-X KUBE-SEP-OLD\nCOMMIT');
    expect(text).not.toContain('KUBE-HOSTPORTS');
  });
});

describe('servicePorts', () => {
  const endpointsOf = (rows: Row[]) =>
    servicePorts([service()], [slice(rows)], 'node-1')[0]!.endpoints.map(({ ip }) => ip);

  test('headless and external-name Services have none', () => {
    const odd = [
      service({ clusterIP: 'None' }),
      service({ type: 'ExternalName', clusterIP: '' }),
      service({ clusterIP: undefined }),
    ];
    expect(servicePorts(odd, [], 'node-1')).toEqual([]);
  });

  test('only ready endpoints; those that end but serve when there is no other', () => {
    const ending = { ready: false, serving: true, terminating: true };
    expect(endpointsOf([['10.0.0.1'], ['10.0.0.2', 'n', { ready: false }]])).toEqual(['10.0.0.1']);
    expect(endpointsOf([['10.0.0.1'], ['10.0.0.2', 'n', ending]])).toEqual(['10.0.0.1']);
    expect(
      endpointsOf([
        ['10.0.0.2', 'n', ending],
        ['10.0.0.3', 'n', { ready: false }],
      ]),
    ).toEqual(['10.0.0.2']);
  });

  test('ports are matched by name', () => {
    const named = service({
      ports: [
        { name: 'http', port: 80 },
        { name: 'other', port: 81 },
      ],
    });
    const found = servicePorts([named], [slice([['10.0.0.1']], 'http')], 'node-1');
    expect(found.map(({ name, endpoints }) => `${name} ${endpoints.length}`)).toEqual([
      'default/web:http 1',
      'default/web:other 0',
    ]);
  });
});

test('UDP entries of removed endpoints are forgotten, and those of a Service that gets its first', () => {
  const udp = (rows: Row[]) =>
    servicePorts([service({ ports: [{ port: 53, protocol: 'UDP' }] })], [slice(rows)], 'node-1');
  expect(staleConnections(udp([['10.0.0.1'], ['10.0.0.2']]), udp([['10.0.0.2']]))).toEqual([
    ['conntrack', '-D', '-p', 'udp', '--orig-dst', '10.96.0.5', '--dst-nat', '10.0.0.1'],
  ]);
  expect(staleConnections(udp([]), udp([['10.0.0.2']]))).toEqual([
    ['conntrack', '-D', '-p', 'udp', '--orig-dst', '10.96.0.5'],
  ]);
  expect(staleConnections(udp([['10.0.0.2']]), udp([['10.0.0.2']]))).toEqual([]);
});
