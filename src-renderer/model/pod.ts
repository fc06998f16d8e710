// What a Pod's row says, worked out as kubectl does it.

import type { Container, ContainerStatus, Pod } from '../../src-main/api';
import type { Tone } from './tone';

export interface PodSummary {
  ready: number;
  total: number;
  status: string;
  tone: Tone;
  restarts: number;
}

const badReasons = new Set([
  'CrashLoopBackOff',
  'ImagePullBackOff',
  'ErrImagePull',
  'ErrImageNeverPull',
  'InvalidImageName',
  'CreateContainerConfigError',
  'CreateContainerError',
  'RunContainerError',
  'Error',
  'OOMKilled',
  'Failed',
  'Evicted',
  'DeadlineExceeded',
]);

function terminatedReason(status: ContainerStatus): string | undefined {
  const ended = status.state?.terminated;
  if (!ended) return undefined;
  if (ended.reason) return ended.reason;
  return ended.signal ? `Signal:${ended.signal}` : `ExitCode:${ended.exitCode}`;
}

function initReason(pod: Pod): string | undefined {
  const statuses = pod.status?.initContainerStatuses ?? [];
  const total = pod.spec.initContainers?.length ?? 0;
  for (const [index, status] of statuses.entries()) {
    const container = pod.spec.initContainers?.[index];
    if (status.state?.terminated?.exitCode === 0) continue;
    if (container?.restartPolicy === 'Always' && status.started) continue;
    const reason = terminatedReason(status) ?? status.state?.waiting?.reason;
    if (reason && reason !== 'PodInitializing') return `Init:${reason}`;
    return `Init:${index}/${total}`;
  }
  return undefined;
}

function containerReason(pod: Pod): string | undefined {
  let reason: string | undefined;
  for (const status of [...(pod.status?.containerStatuses ?? [])].reverse()) {
    const waiting = status.state?.waiting?.reason;
    reason = waiting ?? terminatedReason(status) ?? reason;
  }
  return reason;
}

function statusOf(pod: Pod): string {
  const base = pod.status?.reason ?? pod.status?.phase ?? 'Pending';
  if (pod.metadata.deletionTimestamp) return pod.status?.reason === 'NodeLost' ? 'Unknown' : 'Terminating';
  const statuses = pod.status?.containerStatuses ?? [];
  const running = statuses.some((status) => status.ready && status.state?.running);
  const reason = initReason(pod) ?? containerReason(pod);
  if (reason === 'Completed' && running) return 'Running';
  return reason ?? base;
}

function toneOf(status: string, pod: Pod, ready: boolean): Tone {
  const reason = status.replace(/^Init:/, '');
  if (badReasons.has(reason) || /^(ExitCode|Signal):/.test(reason)) return 'bad';
  if (status === 'Succeeded' || status === 'Completed') return 'idle';
  if (status === 'Running') return ready ? 'ok' : 'warn';
  if (status === 'Unknown') return 'warn';
  const scheduled = pod.status?.conditions?.find((condition) => condition.type === 'PodScheduled');
  if (status === 'Pending' && scheduled?.status === 'False') return 'warn';
  return 'progress';
}

export function summarizePod(pod: Pod): PodSummary {
  const statuses = pod.status?.containerStatuses ?? [];
  const ready = statuses.filter((status) => status.ready).length;
  const total = pod.spec.containers.length;
  const status = statusOf(pod);
  return {
    ready,
    total,
    status,
    tone: toneOf(status, pod, ready === total),
    restarts: statuses.reduce((sum, item) => sum + item.restartCount, 0),
  };
}

export interface ContainerRow {
  name: string;
  kind: 'init' | 'container';
  spec: Container;
  status?: ContainerStatus;
  state: string;
  tone: Tone;
}

function rowOf(kind: ContainerRow['kind'], spec: Container, statuses: readonly ContainerStatus[]): ContainerRow {
  const status = statuses.find((item) => item.name === spec.name);
  const row = { name: spec.name, kind, spec, status };
  if (status?.state?.running)
    return { ...row, state: 'Running', tone: status.ready || kind === 'init' ? 'ok' : 'warn' };
  if (status?.state?.terminated) {
    const failed = status.state.terminated.exitCode !== 0;
    return { ...row, state: terminatedReason(status) ?? 'Terminated', tone: failed ? 'bad' : 'idle' };
  }
  const reason = status?.state?.waiting?.reason ?? 'Waiting';
  return { ...row, state: reason, tone: badReasons.has(reason) ? 'bad' : 'progress' };
}

/** Init containers first, then the others, each with what is known of its state. */
export function containersOf(pod: Pod): ContainerRow[] {
  const init = pod.spec.initContainers ?? [];
  return [
    ...init.map((spec) => rowOf('init', spec, pod.status?.initContainerStatuses ?? [])),
    ...pod.spec.containers.map((spec) => rowOf('container', spec, pod.status?.containerStatuses ?? [])),
  ];
}
