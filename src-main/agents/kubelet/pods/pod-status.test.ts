import { describe, expect, test } from 'vitest';
import type { Container, Pod, PodStatus } from '../../../api';
import type { ContainerObservation } from '../runtime/runtime';
import { at, observationOf, podOf, sandbox, seen } from './pod-fixtures';
import { type StatusInput, computePodStatus } from './pod-status';

const one: Container[] = [{ name: 'a', image: 'img:1' }];

function statusOf(pod: Pod, containers: ContainerObservation[], more: Partial<StatusInput> = {}): PodStatus {
  return computePodStatus({
    pod,
    observed: observationOf([sandbox()], containers),
    waiting: new Map(),
    isReady: () => true,
    isStarted: () => true,
    terminationMessage: () => undefined,
    imageIdOf: (entry) => entry.imageId,
    hostIP: '192.168.77.11',
    now: at,
    ...more,
  });
}

const ended = (name: string, exitCode: number, more: Partial<ContainerObservation> = {}) =>
  seen(name, { state: 'exited', exitCode, ...more });
const condition = (status: PodStatus, type: string) => status.conditions!.find((entry) => entry.type === type)!;

describe('computePodStatus', () => {
  test('a running Pod', () => {
    const status = statusOf(podOf({ containers: one }), [seen('a')]);
    expect(status).toMatchObject({
      phase: 'Running',
      podIP: '10.244.1.2',
      podIPs: [{ ip: '10.244.1.2' }],
      hostIP: '192.168.77.11',
      startTime: '2026-01-02T03:04:05Z',
      qosClass: 'BestEffort',
    });
    expect(status.containerStatuses).toEqual([
      {
        name: 'a',
        image: 'img:1',
        imageID: 'docker://sha256:1',
        containerID: 'docker://a-0',
        restartCount: 0,
        ready: true,
        started: true,
        state: { running: { startedAt: '2026-01-02T03:03:45Z' } },
        lastState: {},
      },
    ]);
    expect(status.conditions!.map((entry) => `${entry.type}=${entry.status}`)).toEqual([
      'PodReadyToStartContainers=True',
      'Initialized=True',
      'Ready=True',
      'ContainersReady=True',
      'PodScheduled=True',
    ]);
  });

  const phases: [string, Pod, ContainerObservation[], string][] = [
    ['nothing yet', podOf({ containers: one }), [], 'Pending'],
    ['failed, Always', podOf({ containers: one }), [ended('a', 1)], 'Running'],
    ['succeeded, Never', podOf({ containers: one, restartPolicy: 'Never' }), [ended('a', 0)], 'Succeeded'],
    ['failed, Never', podOf({ containers: one, restartPolicy: 'Never' }), [ended('a', 1)], 'Failed'],
    ['failed, OnFailure', podOf({ containers: one, restartPolicy: 'OnFailure' }), [ended('a', 1)], 'Running'],
    ['init running', podOf({ containers: one, initContainers: [{ name: 'i' }] }), [seen('i')], 'Pending'],
    [
      'init failed, Never',
      podOf({ containers: one, initContainers: [{ name: 'i' }], restartPolicy: 'Never' }),
      [ended('i', 1)],
      'Failed',
    ],
    ['terminal stays', podOf({ containers: one }, { phase: 'Failed' }), [seen('a')], 'Failed'],
  ];
  test.each(phases)('phase: %s', (_title, pod, containers, phase) => {
    expect(statusOf(pod, containers).phase).toBe(phase);
  });

  test('what waits says why, and keeps how it last ended', () => {
    const waiting = new Map([['a', { reason: 'CrashLoopBackOff', message: 'm' }]]);
    const [status] = statusOf(podOf({ containers: one }), [ended('a', 3, { attempt: 2 })], { waiting })
      .containerStatuses!;
    expect(status).toMatchObject({ restartCount: 2, ready: false, state: { waiting: { reason: 'CrashLoopBackOff' } } });
    expect(status!.lastState!.terminated).toMatchObject({ exitCode: 3, reason: 'Error', containerID: 'docker://a-2' });
  });

  const reasons: [Partial<ContainerObservation>, string][] = [
    [{ exitCode: 0 }, 'Completed'],
    [{ exitCode: 1 }, 'Error'],
    [{ exitCode: 137, oomKilled: true }, 'OOMKilled'],
    [{ exitCode: 127, startError: 'no such file' }, 'StartError'],
  ];
  test.each(reasons)('ended %j: %s', (more, reason) => {
    const [status] = statusOf(podOf({ containers: one }), [seen('a', { state: 'exited', ...more })]).containerStatuses!;
    expect(status!.state!.terminated!.reason).toBe(reason);
  });

  test('unready containers and unmet readiness gates are named', () => {
    const unready = statusOf(podOf({ containers: one }), [seen('a')], { isReady: () => false });
    expect(condition(unready, 'Ready')).toMatchObject({
      status: 'False',
      reason: 'ContainersNotReady',
      message: 'containers with unready status: [a]',
    });
    const gated = statusOf(podOf({ containers: one, readinessGates: [{ conditionType: 'x/y' }] }), [seen('a')]);
    expect(condition(gated, 'Ready')).toMatchObject({ status: 'False', reason: 'ReadinessGatesNotReady' });
    expect(condition(gated, 'ContainersReady').status).toBe('True');
  });

  test('a condition that stays keeps its time; foreign conditions stay', () => {
    const before = statusOf(podOf({ containers: one }), [seen('a')]);
    before.conditions!.push({ type: 'x/y', status: 'True' });
    const after = statusOf(podOf({ containers: one }, before), [seen('a')], { now: at + 60_000, isReady: () => false });
    expect(condition(after, 'PodScheduled').lastTransitionTime).toBe('2026-01-02T03:04:05Z');
    expect(condition(after, 'Ready').lastTransitionTime).toBe('2026-01-02T03:05:05Z');
    expect(condition(after, 'x/y').status).toBe('True');
  });

  test('the verdict on a Pod overrides its phase', () => {
    const verdict = { phase: 'Failed', reason: 'DeadlineExceeded', message: 'too long' };
    expect(statusOf(podOf({ containers: one }), [seen('a')], { verdict })).toMatchObject(verdict);
  });
});
