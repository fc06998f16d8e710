import { describe, expect, it } from 'vitest';
import { formatFieldError } from '../field-error';
import { podKind, qosClassOf } from './pod';
import { podColumns, summarizePod } from './pod-columns';
import { applyPodDefaults, defaultPullPolicy } from './pod-defaults';
import type { ContainerStatus, Pod, PodStatus } from './types';

const now = Date.parse('2026-01-01T01:00:00Z');

function podWith(status: PodStatus, change: Partial<Pod['spec']> = {}, metadata: Partial<Pod['metadata']> = {}): Pod {
  return {
    metadata: { name: 'demo', ...metadata },
    spec: { containers: [{ name: 'a', image: 'a' }], ...change },
    status,
  };
}

function container(change: Partial<ContainerStatus>): ContainerStatus {
  return { name: 'a', ready: false, restartCount: 0, image: 'a', imageID: '', ...change };
}

const running = container({ ready: true, state: { running: {} } });
const initSpec = { initContainers: [{ name: 'i' }, { name: 'j' }] };
const sidecarSpec = { initContainers: [{ name: 'side', restartPolicy: 'Always' }] };

describe('STATUS', () => {
  it.each<[string, Pod, string]>([
    ['pending', podWith({ phase: 'Pending' }), '0/1 Pending 0'],
    ['running', podWith({ phase: 'Running', containerStatuses: [running] }), '1/1 Running 0'],
    [
      'crash loop',
      podWith({
        phase: 'Running',
        containerStatuses: [
          container({
            restartCount: 2,
            state: { waiting: { reason: 'CrashLoopBackOff' } },
            lastState: { terminated: { exitCode: 1, finishedAt: '2026-01-01T00:57:00Z' } },
          }),
        ],
      }),
      '0/1 CrashLoopBackOff 2 (3m ago)',
    ],
    [
      'completed',
      podWith({
        phase: 'Succeeded',
        containerStatuses: [container({ state: { terminated: { exitCode: 0, reason: 'Completed' } } })],
      }),
      '0/1 Completed 0',
    ],
    [
      'exit code',
      podWith({ phase: 'Failed', containerStatuses: [container({ state: { terminated: { exitCode: 3 } } })] }),
      '0/1 ExitCode:3 0',
    ],
    [
      'signal',
      podWith({
        phase: 'Failed',
        containerStatuses: [container({ state: { terminated: { exitCode: 137, signal: 9 } } })],
      }),
      '0/1 Signal:9 0',
    ],
    [
      'one done, one running and ready',
      podWith(
        {
          phase: 'Running',
          conditions: [{ type: 'Ready', status: 'True' }],
          containerStatuses: [container({ state: { terminated: { exitCode: 0, reason: 'Completed' } } }), running],
        },
        { containers: [{ name: 'a' }, { name: 'b' }] },
      ),
      '1/2 Running 0',
    ],
    [
      'deleted',
      podWith({ phase: 'Running', containerStatuses: [running] }, {}, { deletionTimestamp: '2026-01-01T00:00:00Z' }),
      '1/1 Terminating 0',
    ],
    [
      'lost',
      podWith({ phase: 'Running', reason: 'NodeLost' }, {}, { deletionTimestamp: '2026-01-01T00:00:00Z' }),
      '0/1 Unknown 0',
    ],
    ['evicted', podWith({ phase: 'Failed', reason: 'Evicted' }), '0/1 Evicted 0'],
    [
      'gated',
      podWith({ phase: 'Pending', conditions: [{ type: 'PodScheduled', status: 'False', reason: 'SchedulingGated' }] }),
      '0/1 SchedulingGated 0',
    ],
    [
      'first init container',
      podWith(
        { phase: 'Pending', initContainerStatuses: [container({ name: 'i', state: { running: {} } })] },
        initSpec,
      ),
      '0/1 Init:0/2 0',
    ],
    [
      'second init container',
      podWith(
        {
          phase: 'Pending',
          initContainerStatuses: [
            container({ name: 'i', state: { terminated: { exitCode: 0 } } }),
            container({ name: 'j', state: { waiting: { reason: 'PodInitializing' } } }),
          ],
        },
        initSpec,
      ),
      '0/1 Init:1/2 0',
    ],
    [
      'failing init container',
      podWith(
        {
          phase: 'Pending',
          initContainerStatuses: [
            container({ name: 'i', restartCount: 1, state: { waiting: { reason: 'CrashLoopBackOff' } } }),
          ],
        },
        initSpec,
      ),
      '0/1 Init:CrashLoopBackOff 1',
    ],
    [
      'init exit code',
      podWith(
        { phase: 'Failed', initContainerStatuses: [container({ name: 'i', state: { terminated: { exitCode: 2 } } })] },
        initSpec,
      ),
      '0/1 Init:ExitCode:2 0',
    ],
    [
      'sidecar',
      podWith(
        {
          phase: 'Running',
          initContainerStatuses: [
            container({ name: 'side', started: true, ready: true, restartCount: 1, state: { running: {} } }),
          ],
          containerStatuses: [running],
        },
        sidecarSpec,
      ),
      '2/2 Running 1',
    ],
  ])('%s', (_title, pod, expected) => {
    const texts = podColumns.slice(0, 3).map((column) => column.value(pod, now));
    expect(texts.join(' ')).toBe(expected);
  });

  it('counts the containers that should be there before any has a status', () => {
    expect(summarizePod(podWith({}, sidecarSpec))).toMatchObject({ ready: 0, total: 2 });
  });
});

describe('defaults', () => {
  it.each([
    ['busybox', 'Always'],
    ['busybox:latest', 'Always'],
    ['busybox:1.36', 'IfNotPresent'],
    ['registry:5000/busybox', 'Always'],
    ['registry:5000/busybox:2', 'IfNotPresent'],
    ['busybox@sha256:abc', 'IfNotPresent'],
  ])('%s is pulled %s', (image, policy) => expect(defaultPullPolicy(image)).toBe(policy));

  it('fills in what upstream fills in', () => {
    const pod: Pod = {
      metadata: { name: 'x' },
      spec: {
        hostNetwork: true,
        containers: [
          {
            name: 'a',
            image: 'a',
            ports: [{ containerPort: 80 }],
            resources: { limits: { cpu: '1' } },
            livenessProbe: { httpGet: { port: 80 } },
          },
        ],
        volumes: [{ name: 'v' }, { name: 's', secret: { secretName: 's' } }],
      },
    };
    applyPodDefaults(pod);
    expect(pod.spec).toEqual({
      hostNetwork: true,
      restartPolicy: 'Always',
      dnsPolicy: 'ClusterFirst',
      terminationGracePeriodSeconds: 30,
      schedulerName: 'default-scheduler',
      securityContext: {},
      enableServiceLinks: true,
      volumes: [
        { name: 'v', emptyDir: {} },
        { name: 's', secret: { secretName: 's', defaultMode: 420 } },
      ],
      containers: [
        {
          name: 'a',
          image: 'a',
          imagePullPolicy: 'Always',
          terminationMessagePath: '/dev/termination-log',
          terminationMessagePolicy: 'File',
          ports: [{ containerPort: 80, hostPort: 80, protocol: 'TCP' }],
          resources: { limits: { cpu: '1' }, requests: { cpu: '1' } },
          livenessProbe: {
            httpGet: { port: 80, path: '/', scheme: 'HTTP' },
            timeoutSeconds: 1,
            periodSeconds: 10,
            successThreshold: 1,
            failureThreshold: 3,
          },
        },
      ],
    });
  });
});

it.each([
  [undefined, undefined, 'BestEffort'],
  [{ cpu: '1' }, undefined, 'Burstable'],
  [{ cpu: '1', memory: '1Gi' }, { cpu: '1000m', memory: '1024Mi' }, 'Guaranteed'],
  [undefined, { cpu: '1', memory: '1Gi' }, 'Guaranteed'],
  [undefined, { cpu: '1' }, 'Burstable'],
])('requests %j and limits %j are %s', (requests, limits, expected) => {
  expect(qosClassOf({ containers: [{ name: 'a', resources: { requests, limits } }] })).toBe(expected);
});

describe('updates', () => {
  const old: Pod = {
    metadata: { name: 'x', generation: 1 },
    spec: { containers: [{ name: 'a', image: 'a:1' }], tolerations: [{ key: 'k', operator: 'Exists' }] },
  };
  podKind.applyDefaults(old);
  podKind.prepareForCreate(old);

  it.each<[string, (pod: Pod) => void, RegExp | undefined]>([
    ['an image', (pod) => (pod.spec.containers[0]!.image = 'a:2'), undefined],
    ['labels', (pod) => (pod.metadata.labels = { a: 'b' }), undefined],
    ['one toleration more', (pod) => pod.spec.tolerations!.push({ key: 'l', operator: 'Exists' }), undefined],
    ['one toleration less', (pod) => (pod.spec.tolerations = []), /existing toleration can not be modified/],
    ['a first deadline', (pod) => (pod.spec.activeDeadlineSeconds = 10), undefined],
    [
      'the node',
      (pod) => (pod.spec.nodeName = 'n'),
      /^spec: Forbidden: pod updates may not change fields other than `spec.containers\[\*\].image`/,
    ],
    ['the command', (pod) => (pod.spec.containers[0]!.command = ['x']), /^spec: Forbidden: pod updates may not change/],
    [
      'the containers',
      (pod) => pod.spec.containers.push({ name: 'b', image: 'b' }),
      /^spec.containers: Forbidden: pod updates may not add or remove containers$/,
    ],
  ])('%s', (_title, change, refusal) => {
    const pod = structuredClone(old);
    change(pod);
    podKind.applyDefaults(pod);
    podKind.prepareForUpdate(pod, old);
    const errors = podKind.validateUpdate({ object: pod, old }).map(formatFieldError);
    if (refusal) expect(errors.join()).toMatch(refusal);
    else expect(errors).toEqual([]);
  });

  it('through status keeps everything else', () => {
    const pod: Pod = { metadata: { name: 'x' }, spec: { containers: [] }, status: { phase: 'Running' } };
    podKind.status!.prepareForUpdate(pod, old);
    expect(pod.spec).toEqual(old.spec);
    expect(pod.status).toEqual({ phase: 'Running' });
    expect(pod.metadata.generation).toBe(1);
  });

  it('ends at once what runs nowhere', () => {
    expect(podKind.gracePeriodSeconds!(old)).toBe(0);
    const bound: Pod = { ...old, spec: { ...old.spec, nodeName: 'n' } };
    expect(podKind.gracePeriodSeconds!(bound)).toBe(30);
  });
});
