import { describe, expect, it } from 'vitest';
import type { EndpointSlice, Pod, Service } from '../../api';
import { backendsOf } from '../endpoints/backends';
import { planEndpoints } from '../endpoints/plan';
import { planSlices } from './plan';

const service = (spec: Partial<Service['spec']> = {}): Service => ({
  metadata: { name: 'web', namespace: 'n', uid: 's' },
  spec: { selector: { app: 'web' }, ports: [{ name: 'http', port: 80, targetPort: 'http' }], ...spec },
});

interface Facts {
  port?: number;
  ready?: boolean;
  terminating?: boolean;
  phase?: string;
}

function pod(index: number, { port = 8080, ready = true, terminating, phase = 'Running' }: Facts = {}): Pod {
  const ports = [{ name: 'http', containerPort: port }];
  return {
    metadata: {
      name: `p${index}`,
      namespace: 'n',
      uid: `u${index}`,
      labels: { app: 'web' },
      ...(terminating ? { deletionTimestamp: '2026-01-01T00:00:00Z' } : {}),
    },
    spec: { nodeName: 'node-1', containers: [{ name: 'c', ports }] },
    status: {
      phase,
      podIP: `10.0.${index >> 8}.${index & 255}`,
      conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }],
    },
  };
}

const named = (slices: readonly EndpointSlice[]) =>
  slices.map((slice, index) => ({ ...slice, metadata: { ...slice.metadata, name: `web-${index}` } }));
const plan = (pods: Pod[], current: EndpointSlice[] = [], of = service()) =>
  planSlices(of, backendsOf(of, pods), current);

describe('EndpointSlices', () => {
  it('tell ready, serving and terminating apart, and leave finished Pods out', () => {
    const pods = [pod(1), pod(2, { ready: false }), pod(3, { terminating: true }), pod(4, { phase: 'Failed' })];
    const [slice] = plan(pods).create;
    expect(slice!.endpoints.map(({ conditions }) => conditions)).toEqual([
      { ready: true, serving: true, terminating: false },
      { ready: false, serving: false, terminating: false },
      { ready: false, serving: true, terminating: true },
    ]);
    expect(slice!.ports).toEqual([{ name: 'http', port: 8080, protocol: 'TCP' }]);
    expect(slice!.metadata.labels).toMatchObject({
      'kubernetes.io/service-name': 'web',
      'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io',
    });
    expect(slice!.endpoints[0]).toMatchObject({
      nodeName: 'node-1',
      targetRef: { kind: 'Pod', name: 'p1', uid: 'u1' },
    });
  });

  it('hold a hundred each, one group per set of ports', () => {
    const pods = [...Array.from({ length: 250 }, (_, index) => pod(index)), pod(300, { port: 9090 })];
    const { create } = plan(pods);
    expect(create.map(({ endpoints }) => endpoints.length)).toEqual([100, 100, 50, 1]);
    expect(plan(pods, named(create))).toEqual({ create: [], update: [], delete: [] });
  });

  it('change only the slice that is concerned, and fill gaps', () => {
    const pods = Array.from({ length: 150 }, (_, index) => pod(index));
    const current = named(plan(pods).create);
    const changed = plan([...pods.slice(1), pod(500)], current);
    expect(changed.create).toEqual([]);
    expect(changed.update.map(({ endpoints }) => endpoints.length)).toEqual([100]);
    const first = new Set(current[0]!.endpoints.map(({ targetRef }) => targetRef!.uid));
    const kept = pods.filter(({ metadata }) => first.has(metadata.uid));
    const fewer = plan(kept, current);
    expect(fewer.delete.map(({ metadata }) => metadata.name)).toEqual(['web-1']);
  });

  it('leave one empty slice when nothing is behind the Service', () => {
    const none = plan([]);
    expect(none.create.map(({ endpoints, ports }) => [endpoints, ports])).toEqual([[[], []]]);
    expect(plan([], named(none.create))).toEqual({ create: [], update: [], delete: [] });
    const next = plan([pod(1)], named(none.create));
    expect([next.create.length, next.delete.length]).toEqual([1, 1]);
  });
});

describe('Endpoints', () => {
  it('group addresses by ports and hide what terminates', () => {
    const pods = [pod(1), pod(2, { ready: false }), pod(3, { port: 9090 }), pod(4, { terminating: true })];
    const { subsets, metadata } = planEndpoints(service(), backendsOf(service(), pods), undefined);
    expect(
      subsets!.map(({ addresses, notReadyAddresses, ports }) => [
        addresses?.map(({ ip }) => ip),
        notReadyAddresses?.map(({ ip }) => ip),
        ports![0]!.port,
      ]),
    ).toEqual([
      [['10.0.0.1'], ['10.0.0.2'], 8080],
      [['10.0.0.3'], undefined, 9090],
    ]);
    expect(metadata.labels).toEqual({ 'endpoints.kubernetes.io/managed-by': 'endpoint-controller' });
  });

  it('show Pods that are not ready when the Service says so, and need no ports when headless', () => {
    const headless = service({ clusterIP: 'None', ports: [], publishNotReadyAddresses: true });
    const pods = [pod(1, { ready: false })];
    const { subsets, metadata } = planEndpoints(headless, backendsOf(headless, pods), undefined);
    expect(subsets).toEqual([{ addresses: [expect.objectContaining({ ip: '10.0.0.1' })] }]);
    expect(metadata.labels).toHaveProperty(['service.kubernetes.io/headless'], '');
  });
});
