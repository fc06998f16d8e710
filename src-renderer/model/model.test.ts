import { describe, expect, it } from 'vitest';
import type { Deployment, Event as KubeEvent, Node, Pod } from '../../src-main/api';
import { eventsOf, isOwnedBy, matchesSelector, resourcesOf, summarizeDeployment, summarizeNode, summarizePod } from '.';
import { containersOf } from './pod';

function pod(status: Pod['status'], metadata: Pod['metadata'] = { name: 'p' }): Pod {
  return { metadata, spec: { containers: [{ name: 'c' }], nodeName: 'n1' }, status };
}
const container = (extra: object) => ({ name: 'c', ready: false, restartCount: 0, image: 'i', imageID: '', ...extra });

describe('summarizePod', () => {
  it.each([
    ['no status yet', undefined, 'Pending', 'progress'],
    [
      'running',
      { phase: 'Running', containerStatuses: [container({ ready: true, state: { running: {} } })] },
      'Running',
      'ok',
    ],
    ['not ready', { phase: 'Running', containerStatuses: [container({ state: { running: {} } })] }, 'Running', 'warn'],
    [
      'crash loop',
      { phase: 'Running', containerStatuses: [container({ state: { waiting: { reason: 'CrashLoopBackOff' } } })] },
      'CrashLoopBackOff',
      'bad',
    ],
    [
      'killed',
      { phase: 'Failed', containerStatuses: [container({ state: { terminated: { exitCode: 137, signal: 9 } } })] },
      'Signal:9',
      'bad',
    ],
    [
      'done',
      {
        phase: 'Succeeded',
        containerStatuses: [container({ state: { terminated: { exitCode: 0, reason: 'Completed' } } })],
      },
      'Completed',
      'idle',
    ],
    [
      'unschedulable',
      { phase: 'Pending', conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable' }] },
      'Pending',
      'warn',
    ],
    ['evicted', { phase: 'Failed', reason: 'Evicted' }, 'Evicted', 'bad'],
  ])('%s', (_, status, text, tone) => {
    expect(summarizePod(pod(status as Pod['status']))).toMatchObject({ status: text, tone, total: 1 });
  });

  it('says Terminating while it is being deleted', () => {
    const leaving = pod({ phase: 'Running' }, { name: 'p', deletionTimestamp: '2026-01-01T00:00:00Z' });
    expect(summarizePod(leaving).status).toBe('Terminating');
  });

  it('counts init containers as kubectl does', () => {
    const waiting = pod({
      phase: 'Pending',
      initContainerStatuses: [container({ name: 'i', state: { running: {} } })],
    });
    waiting.spec.initContainers = [{ name: 'i' }];
    expect(summarizePod(waiting).status).toBe('Init:0/1');
    expect(containersOf(waiting).map((row) => [row.name, row.kind, row.state])).toEqual([
      ['i', 'init', 'Running'],
      ['c', 'container', 'Waiting'],
    ]);
  });
});

describe('summarizeNode and resourcesOf', () => {
  const node: Node = {
    metadata: { name: 'n1', labels: { 'node-role.kubernetes.io/worker': '' } },
    spec: { unschedulable: true },
    status: {
      conditions: [{ type: 'Ready', status: 'True' }],
      addresses: [{ type: 'InternalIP', address: '10.0.3.11' }],
      allocatable: { cpu: '2', memory: '1Gi', pods: '110' },
    },
  };

  it('reads readiness, roles and address', () => {
    expect(summarizeNode(node)).toEqual({
      status: 'Ready,SchedulingDisabled',
      tone: 'warn',
      ready: true,
      roles: ['worker'],
      address: '10.0.3.11',
    });
    expect(summarizeNode({ metadata: { name: 'x' } })).toMatchObject({ status: 'NotReady', tone: 'bad' });
  });

  it('adds up requests of unfinished Pods on these nodes only', () => {
    const busy = pod({ phase: 'Running' });
    busy.spec.containers = [{ name: 'c', resources: { requests: { cpu: '250m', memory: '64Mi' } } }];
    const done = { ...busy, status: { phase: 'Succeeded' } };
    const elsewhere = { ...busy, spec: { ...busy.spec, nodeName: 'n2' } };
    const { cpu, memory, pods } = resourcesOf([node], [busy, done, elsewhere]);
    expect([cpu, memory, pods]).toEqual([
      { requested: 0.25, allocatable: 2 },
      { requested: 64 * 2 ** 20, allocatable: 2 ** 30 },
      { requested: 1, allocatable: 110 },
    ]);
  });
});

describe('summarizeDeployment', () => {
  const deployment = (status: Deployment['status'], spec: object = {}): Deployment => ({
    metadata: { name: 'd', generation: 2, uid: 'u1' },
    spec: { replicas: 3, selector: {}, template: { spec: { containers: [] } }, ...spec },
    status,
  });
  const all = { replicas: 3, updatedReplicas: 3, readyReplicas: 3, availableReplicas: 3 };

  it('is settled only when the controller has seen the latest spec', () => {
    expect(summarizeDeployment(deployment({ ...all, observedGeneration: 2 })).state).toBe('settled');
    expect(summarizeDeployment(deployment({ ...all, observedGeneration: 1 })).state).toBe('progressing');
  });

  it('tells failing, paused and progressing apart', () => {
    const late = [{ type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded' }];
    expect(summarizeDeployment(deployment({ observedGeneration: 2, conditions: late })).tone).toBe('bad');
    expect(summarizeDeployment(deployment({ observedGeneration: 2 }, { paused: true })).state).toBe('paused');
    expect(summarizeDeployment(deployment(undefined))).toMatchObject({ state: 'progressing', wanted: 3, ready: 0 });
  });

  it('matches selectors and owners', () => {
    const selector = {
      matchLabels: { app: 'web' },
      matchExpressions: [
        { key: 'tier', operator: 'In', values: ['a', 'b'] },
        { key: 'old', operator: 'DoesNotExist' },
      ],
    };
    expect(matchesSelector(selector, { app: 'web', tier: 'a' })).toBe(true);
    expect(matchesSelector(selector, { app: 'web', tier: 'c' })).toBe(false);
    expect(matchesSelector(selector, { app: 'web', tier: 'a', old: '' })).toBe(false);
    expect(matchesSelector(undefined, {})).toBe(false);
    const owned = { metadata: { ownerReferences: [{ apiVersion: 'v1', kind: 'X', name: 'd', uid: 'u1' }] } };
    expect(isOwnedBy(owned, deployment(undefined))).toBe(true);
  });
});

describe('eventsOf', () => {
  const event = (name: string, about: object, lastTimestamp: string): KubeEvent => ({
    metadata: { name },
    involvedObject: about as KubeEvent['involvedObject'],
    lastTimestamp,
  });

  it('keeps those about the object, newest first', () => {
    const events = [
      event('old', { kind: 'Pod', name: 'p', uid: 'u' }, '2026-01-01T00:00:00Z'),
      event('new', { kind: 'Pod', name: 'p', uid: 'u' }, '2026-01-02T00:00:00Z'),
      event('other', { kind: 'Pod', name: 'p', uid: 'earlier pod' }, '2026-01-03T00:00:00Z'),
      event('node', { kind: 'Node', name: 'n', uid: 'n' }, '2026-01-03T00:00:00Z'),
    ];
    const names = (object: Pod | Node, kind: string) =>
      eventsOf(events, object, kind).map((item) => item.metadata.name);
    expect(names({ metadata: { name: 'p', uid: 'u' } }, 'Pod')).toEqual(['new', 'old']);
    expect(names({ metadata: { name: 'n', uid: 'real uid' } }, 'Node')).toEqual(['node']);
  });
});
