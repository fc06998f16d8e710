import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { formatMicroTime, type Lease, type Node, type Pod, resources } from '../../api';
import { silentLogger } from '../../kit';
import { startWorld, type World } from '../../testkit/controller-world';
import { nodeIpamController } from '../node-ipam/node-ipam';
import { freeSubnet } from '../node-ipam/subnets';
import { podGcController } from '../pod-gc/pod-gc';
import { startControllers } from '../start-controllers';
import { nodeLifecycleController } from './node-lifecycle';
import { taintEvictionController, untilEviction } from './taint-eviction';

const lease = { namespace: 'kube-node-lease', name: 'node-1' };

describe('nodes', () => {
  let world: World;
  const node = () => world.api.object<Node>(resources.nodes, { name: 'node-1' })!;
  const pod = (name: string) => world.api.object<Pod>(resources.pods, { namespace: 'n', name });
  const ready = () => node().status!.conditions!.find(({ type }) => type === 'Ready')!;
  const renew = () =>
    world.api.patch<Lease>(resources.leases, lease, {
      type: 'merge',
      body: { spec: { renewTime: formatMicroTime(world.clock.now()) } },
    });
  const wait = async (ms: number) => {
    await world.clock.advance(ms);
    await world.converge();
  };

  beforeEach(async () => {
    world = await startWorld(
      (environment) =>
        startControllers({
          ...environment,
          podNetwork: '10.244.0.0/16',
          logger: silentLogger,
          controllers: [nodeLifecycleController, taintEvictionController, nodeIpamController, podGcController],
        }),
      { bindPods: false },
    );
    const condition = { type: 'Ready', status: 'True', reason: 'KubeletReady' };
    await world.api.create(resources.nodes, {
      metadata: { name: 'node-1' },
      status: { conditions: [condition] },
    } as Node);
    await world.api.create(resources.leases, { metadata: lease, spec: {} } as Lease);
    await renew();
    const tolerations = [{ operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 }];
    const containers = [{ name: 'c' }];
    for (const [name, spec] of [
      ['patient', { containers, tolerations, nodeName: 'node-1' }],
      ['impatient', { containers, nodeName: 'node-1' }],
    ] as const) {
      await world.api.create(resources.pods, { metadata: { namespace: 'n', name }, spec } as unknown as Pod);
    }
    await world.converge();
  });

  afterEach(() => world.stop());

  it('are trusted while their Lease is renewed', async () => {
    for (let i = 0; i < 6; i++) {
      await wait(30_000);
      await renew();
    }
    expect(ready().status).toBe('True');
    expect(node().spec?.taints ?? []).toEqual([]);
  });

  it('become Unknown after 40 s of silence, lose their Pods as tolerated, and recover', async () => {
    await wait(39_000);
    expect(ready().status).toBe('True');
    await wait(2000);
    expect(ready()).toMatchObject({ status: 'Unknown', message: 'Kubelet stopped posting node status.' });
    expect(node().spec!.taints!.map(({ key, effect }) => `${key}:${effect}`)).toEqual([
      'node.kubernetes.io/unreachable:NoSchedule',
      'node.kubernetes.io/unreachable:NoExecute',
    ]);
    expect(pod('patient')!.status!.conditions).toContainEqual(
      expect.objectContaining({ type: 'Ready', status: 'False' }),
    );
    expect(pod('impatient')).toBeUndefined();
    await wait(290_000);
    expect(pod('patient')).toBeDefined();
    await wait(20_000);
    expect(pod('patient')).toBeUndefined();
    const lastHeartbeatTime = new Date(world.clock.now()).toISOString();
    const body = { status: { conditions: [{ type: 'Ready', status: 'True', lastHeartbeatTime }] } };
    await world.api.patch(resources.nodes, { name: 'node-1' }, { type: 'merge', subresource: 'status', body });
    await renew();
    await world.converge();
    expect(node().spec!.taints ?? []).toEqual([]);
  });

  it('are tainted when not ready, under pressure or cordoned, leaving other taints alone', async () => {
    const conditions = [
      { type: 'Ready', status: 'False' },
      { type: 'DiskPressure', status: 'True' },
    ];
    const mine = { key: 'mine', effect: 'NoSchedule' };
    const name = { name: 'node-1' };
    await world.api.patch(resources.nodes, name, {
      type: 'merge',
      subresource: 'status',
      body: { status: { conditions } },
    });
    await world.api.patch(resources.nodes, name, {
      type: 'merge',
      body: { spec: { unschedulable: true, taints: [mine] } },
    });
    await world.converge();
    expect(
      node()
        .spec!.taints!.map(({ key, effect }) => `${key}:${effect}`)
        .toSorted(),
    ).toEqual([
      'mine:NoSchedule',
      'node.kubernetes.io/disk-pressure:NoSchedule',
      'node.kubernetes.io/not-ready:NoExecute',
      'node.kubernetes.io/not-ready:NoSchedule',
      'node.kubernetes.io/unschedulable:NoSchedule',
    ]);
  });

  it('get a subnet each, which is free again after them; Pods of a vanished node go', async () => {
    await world.api.create(resources.nodes, { metadata: { name: 'node-2' } } as Node);
    await world.converge();
    const cidr = (name: string) => world.api.object<Node>(resources.nodes, { name })?.spec?.podCIDR;
    expect([cidr('node-1'), cidr('node-2')]).toEqual(['10.244.0.0/24', '10.244.1.0/24']);
    await world.api.delete(resources.nodes, { name: 'node-1' });
    await world.api.create(resources.nodes, { metadata: { name: 'node-3' } } as Node);
    await world.converge();
    expect(cidr('node-3')).toBe('10.244.0.0/24');
    await wait(39_000);
    expect(pod('patient')).toBeDefined();
    await wait(2000);
    expect(pod('patient')).toBeUndefined();
  });
});

describe('taint eviction', () => {
  const taint = { key: 'k', value: 'v', effect: 'NoExecute', timeAdded: '2026-01-01T00:00:00Z' };
  const now = Date.parse('2026-01-01T00:00:10Z');
  it.each([
    ['no toleration', [], 0],
    ['for ever', [{ key: 'k', operator: 'Exists' }], undefined],
    ['for 30 s', [{ key: 'k', value: 'v', tolerationSeconds: 30 }], 20_000],
    [
      'the shortest of two',
      [
        { operator: 'Exists', tolerationSeconds: 60 },
        { key: 'k', operator: 'Exists', tolerationSeconds: 15 },
      ],
      5000,
    ],
    ['another value', [{ key: 'k', value: 'x' }], 0],
    ['run out', [{ operator: 'Exists', tolerationSeconds: 5 }], 0],
  ])('%s', (_, tolerations, left) => {
    expect(untilEviction(tolerations, [taint], now)).toBe(left);
  });
});

describe('subnets', () => {
  it('are given lowest first, and refused of a bad network', () => {
    expect(freeSubnet('10.244.0.0/16', new Set(['10.244.0.0/24']))).toBe('10.244.1.0/24');
    expect(freeSubnet('10.1.2.0/24', new Set(['10.1.2.0/24']))).toBeUndefined();
    expect(freeSubnet('200.1.255.0/23', new Set(['200.1.254.0/24']))).toBe('200.1.255.0/24');
    expect(() => freeSubnet('10.0.0.0/30', new Set())).toThrow('not an IPv4 network');
  });
});
