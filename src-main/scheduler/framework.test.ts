import { describe, expect, it } from 'vitest';
import type { Container, Node, Pod, PodSpec } from '../api';
import { SchedulerCache } from './cache';
import { decide, refusalMessage } from './framework';
import { podInfo } from './pod-info';
import { defaultProfile } from './registry';
import { podRequests } from './resource-amounts';

const mebi = 1024 * 1024;

function node(name: string, extra: Partial<Node> = {}, labels: Record<string, string> = {}): Node {
  const allocatable = { cpu: '2', memory: '4Gi', pods: '110' };
  return { metadata: { name, labels }, status: { allocatable }, ...extra };
}

let serial = 0;
function pod(spec: Partial<PodSpec> = {}): Pod {
  const name = `p${++serial}`;
  return { metadata: { name, namespace: 'n', uid: name }, spec: { containers: [{ name: 'c' }], ...spec } };
}

const asking = (cpu: string, memory = '1Mi'): Container => ({ name: 'c', resources: { requests: { cpu, memory } } });

function decideAmong(nodes: Node[], wanted: Pod, running: Pod[] = [], random = () => 0.99) {
  const cache = new SchedulerCache();
  for (const item of nodes) cache.setNode(item);
  for (const item of running) cache.setPod(item);
  return decide(defaultProfile, podInfo(wanted), cache.nodes(), random);
}

describe('filters', () => {
  const tainted = (effect: string) => node('a', { spec: { taints: [{ key: 'k', value: 'v', effect }] } });
  const cases: [string, Node, Pod, Pod[], string | undefined][] = [
    ['fits an empty node', node('a'), pod(), [], undefined],
    ['respects cordon', node('a', { spec: { unschedulable: true } }), pod(), [], 'node(s) were unschedulable'],
    [
      'tolerates cordon',
      node('a', { spec: { unschedulable: true } }),
      pod({ tolerations: [{ operator: 'Exists' }] }),
      [],
      undefined,
    ],
    ['NoSchedule taint', tainted('NoSchedule'), pod(), [], 'node(s) had untolerated taint {k: v}'],
    ['NoExecute taint', tainted('NoExecute'), pod(), [], 'node(s) had untolerated taint {k: v}'],
    ['PreferNoSchedule taint', tainted('PreferNoSchedule'), pod(), [], undefined],
    ['tolerated by value', tainted('NoSchedule'), pod({ tolerations: [{ key: 'k', value: 'v' }] }), [], undefined],
    [
      'tolerated for another effect',
      tainted('NoSchedule'),
      pod({ tolerations: [{ key: 'k', operator: 'Exists', effect: 'NoExecute' }] }),
      [],
      'node(s) had untolerated taint {k: v}',
    ],
    ['node selector', node('a', {}, { disk: 'ssd' }), pod({ nodeSelector: { disk: 'ssd' } }), [], undefined],
    [
      'node selector misses',
      node('a'),
      pod({ nodeSelector: { disk: 'ssd' } }),
      [],
      "node(s) didn't match Pod's node affinity/selector",
    ],
    [
      'host port taken',
      node('a'),
      pod({ containers: [{ name: 'c', ports: [{ containerPort: 80, hostPort: 80 }] }] }),
      [
        pod({
          nodeName: 'a',
          containers: [{ name: 'c', ports: [{ containerPort: 1, hostPort: 80, hostIP: '10.0.0.1' }] }],
        }),
      ],
      "node(s) didn't have free ports for the requested pod ports",
    ],
    [
      'exactly fitting cpu',
      node('a'),
      pod({ containers: [asking('1500m')] }),
      [pod({ nodeName: 'a', containers: [asking('500m')] })],
      undefined,
    ],
    [
      'one milli too much',
      node('a'),
      pod({ containers: [asking('1501m')] }),
      [pod({ nodeName: 'a', containers: [asking('500m')] })],
      'Insufficient cpu',
    ],
    [
      'unknown resource',
      node('a'),
      pod({ containers: [{ name: 'c', resources: { requests: { 'x.io/gpu': '1' } } }] }),
      [],
      'Insufficient x.io/gpu',
    ],
    [
      'too many pods',
      node('a', { status: { allocatable: { pods: '1' } } }),
      pod(),
      [pod({ nodeName: 'a' })],
      'Too many pods',
    ],
  ];
  it.each(cases)('%s', (_, where, wanted, running, reason) => {
    const decision = decideAmong([where], wanted, running);
    expect(decision.node).toBe(reason === undefined ? 'a' : undefined);
    if (reason) expect(decision.verdicts[0]!.reasons).toEqual([reason]);
  });

  it.each([
    ['In', ['x', 'y'], true],
    ['NotIn', ['x'], false],
    ['Exists', [], true],
    ['DoesNotExist', [], false],
    ['Gt', ['1'], false],
  ])('required affinity %s', (operator, values, fits) => {
    const matchExpressions = [{ key: 'zone', operator, values }];
    const required = { nodeSelectorTerms: [{ matchExpressions }] };
    const affinity = { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: required } };
    expect(decideAmong([node('a', {}, { zone: 'x' })], pod({ affinity })).node).toBe(fits ? 'a' : undefined);
  });

  it('words a refusal as upstream, counting nodes per reason', () => {
    const nodes = [
      node('a'),
      node('b'),
      node('c', { spec: { taints: [{ key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' }] } }),
    ];
    const decision = decideAmong(nodes, pod({ containers: [asking('8', '8Gi')] }));
    expect(refusalMessage(decision)).toBe(
      '0/3 nodes are available: 1 node(s) had untolerated taint {node.kubernetes.io/not-ready: }, 2 Insufficient cpu, 2 Insufficient memory.',
    );
    expect(refusalMessage(decideAmong([], pod()))).toBe('no nodes available to schedule pods');
  });
});

describe('scores', () => {
  it('prefers the node with more left', () => {
    const busy = pod({ nodeName: 'a', containers: [asking('1', '2Gi')] });
    const decision = decideAmong([node('a'), node('b')], pod(), [busy]);
    expect(decision.node).toBe('b');
    expect(decision.verdicts.find((verdict) => verdict.node === 'b')!.scores!['NodeResourcesFit']).toBe(95);
  });

  it('prefers a node without an untolerated soft taint, and preferred affinity', () => {
    const soft = node('a', { spec: { taints: [{ key: 'k', effect: 'PreferNoSchedule' }] } });
    expect(decideAmong([soft, node('b')], pod()).node).toBe('b');
    const preference = { matchExpressions: [{ key: 'zone', operator: 'In', values: ['x'] }] };
    const preferred = [{ weight: 10, preference }];
    const affinity = { nodeAffinity: { preferredDuringSchedulingIgnoredDuringExecution: preferred } };
    expect(decideAmong([node('a'), node('b', {}, { zone: 'x' })], pod({ affinity })).node).toBe('b');
  });

  it('chooses at random among equals, each alike', () => {
    const counts: Record<string, number> = { a: 0, b: 0, c: 0 };
    let state = 1;
    const random = () => (state = (state * 16807) % 2147483647) / 2147483647;
    for (let i = 0; i < 3000; i++) counts[decideAmong([node('a'), node('b'), node('c')], pod(), [], random).node!]!++;
    for (const count of Object.values(counts)) expect(Math.abs(count - 1000)).toBeLessThan(120);
  });
});

describe('requests of a Pod', () => {
  const init = (cpu: string, sidecar = false): Container => ({
    ...asking(cpu),
    ...(sidecar ? { restartPolicy: 'Always' } : {}),
  });
  it.each([
    ['sum of containers', { containers: [asking('100m'), asking('200m')] }, 300],
    ['largest init container', { containers: [asking('100m')], initContainers: [init('500m'), init('200m')] }, 500],
    ['sidecars add up', { containers: [asking('100m')], initContainers: [init('50m', true), init('20m')] }, 150],
    [
      'init on top of earlier sidecars',
      { containers: [asking('100m')], initContainers: [init('50m', true), init('200m')] },
      250,
    ],
    ['overhead', { containers: [asking('100m')], overhead: { cpu: '25m' } }, 125],
  ])('%s', (_, spec, cpu) => {
    expect(podRequests(spec as PodSpec)['cpu']).toBe(cpu);
  });

  it('keeps the sums of a node right as Pods come and go', () => {
    const cache = new SchedulerCache();
    cache.setNode(node('a'));
    const first = pod({ nodeName: 'a', containers: [asking('300m', '10Mi')] });
    const assumed = podInfo(pod({ containers: [asking('200m')] }));
    cache.setPod(first);
    cache.assume(assumed, 'a');
    const [info] = cache.nodes();
    expect(info!.requested).toEqual({ cpu: 500, memory: 11 * mebi });
    cache.forget(assumed.uid);
    cache.setPod(first);
    expect(info!.requested['cpu']).toBe(300);
    cache.setPod({ ...first, status: { phase: 'Succeeded' } });
    expect(info!.requested['cpu']).toBe(0);
    expect(info!.pods.size).toBe(0);
  });
});
