// Builders for the tests of this folder: Pods and observations with only what a row is about.

import type { Container, Pod } from '../../../api';
import type { ContainerObservation, PodObservation } from '../runtime/runtime';

export const at = Date.parse('2026-01-02T03:04:05Z');

export function podOf(spec: Partial<Pod['spec']> & { containers: Container[] }, status?: Pod['status']): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'web', namespace: 'shop', uid: 'u1', generation: 1 },
    spec: { restartPolicy: 'Always', nodeName: 'node-1', ...spec },
    ...(status ? { status } : {}),
  };
}

export function seen(name: string, more: Partial<ContainerObservation> = {}): ContainerObservation {
  const attempt = more.attempt ?? 0;
  return {
    id: `${name}-${attempt}`,
    name,
    type: 'container',
    attempt,
    state: 'running',
    pid: 1,
    exitCode: 0,
    oomKilled: false,
    startError: '',
    createdAt: at - 20_000,
    startedAt: at - 20_000,
    finishedAt: more.state === 'exited' ? at - 1000 : 0,
    image: 'img',
    imageId: 'docker://sha256:1',
    hash: 'h',
    sandboxId: 'POD-0',
    ip: '',
    labels: {},
    tty: false,
    ...more,
  };
}

export const sandbox = (more: Partial<ContainerObservation> = {}) =>
  seen('POD', { type: 'sandbox', sandboxId: '', ip: '10.244.1.2', ...more });

export function observationOf(sandboxes: ContainerObservation[], containers: ContainerObservation[]): PodObservation {
  return { uid: 'u1', name: 'web', namespace: 'shop', sandboxes, containers };
}
