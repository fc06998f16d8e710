// The table of Pods: READY, STATUS, RESTARTS, AGE and, wide, IP, NODE, NOMINATED NODE, READINESS GATES. STATUS is a
// reading of the whole Pod, not its phase: Init:0/2, CrashLoopBackOff, Terminating, Completed, …

import { ageColumn } from '../define-kind';
import { ageOf } from '../duration';
import type { Column } from '../kind';
import type { ContainerStateTerminated, ContainerStatus, Pod } from './types';

/** What the table says about a Pod's containers. */
export interface PodSummary {
  ready: number;
  total: number;
  reason: string;
  restarts: number;
  /** Milliseconds since the epoch of the latest restart; 0 = none known. */
  lastRestart: number;
}

interface Restarts {
  count: number;
  last: number;
}

function addRestarts(restarts: Restarts, status: ContainerStatus): void {
  restarts.count += status.restartCount;
  const finished = Date.parse(status.lastState?.terminated?.finishedAt ?? '');
  if (!Number.isNaN(finished)) restarts.last = Math.max(restarts.last, finished);
}

function exitText(terminated: ContainerStateTerminated): string {
  if (terminated.reason) return terminated.reason;
  return terminated.signal ? `Signal:${terminated.signal}` : `ExitCode:${terminated.exitCode}`;
}

/** Reason while init containers run, or undefined when they are done. */
function initReason(status: ContainerStatus, progress: string): string | undefined {
  const { terminated, waiting } = status.state ?? {};
  if (terminated) return terminated.exitCode === 0 ? undefined : `Init:${exitText(terminated)}`;
  if (waiting?.reason && waiting.reason !== 'PodInitializing') return `Init:${waiting.reason}`;
  return `Init:${progress}`;
}

function conditionIsTrue(pod: Pod, type: string): boolean {
  return pod.status?.conditions?.some((condition) => condition.type === type && condition.status === 'True') ?? false;
}

/** Ready and total containers, the STATUS word and restarts, as `kubectl get pods` shows them. */
export function summarizePod(pod: Pod): PodSummary {
  const status = pod.status ?? {};
  const initContainers = pod.spec.initContainers ?? [];
  const sidecars = new Set(
    initContainers.filter(({ restartPolicy }) => restartPolicy === 'Always').map(({ name }) => name),
  );
  const total = (pod.spec.containers ?? []).length + sidecars.size;
  let ready = 0;
  let reason = status.reason || status.phase || '';
  const gated = status.conditions?.some(({ type, reason }) => type === 'PodScheduled' && reason === 'SchedulingGated');
  if (gated) reason = 'SchedulingGated';

  const all: Restarts = { count: 0, last: 0 };
  const lasting: Restarts = { count: 0, last: 0 };
  let initializing = false;
  for (const [index, init] of (status.initContainerStatuses ?? []).entries()) {
    const isSidecar = sidecars.has(init.name);
    addRestarts(all, init);
    if (isSidecar) addRestarts(lasting, init);
    if (isSidecar && init.started && !init.state?.terminated) {
      if (init.ready) ready += 1;
      continue;
    }
    const waitsFor = initReason(init, `${index}/${initContainers.length}`);
    if (waitsFor === undefined) continue;
    reason = waitsFor;
    initializing = true;
    break;
  }

  let restarts = all;
  if (!initializing || conditionIsTrue(pod, 'Initialized')) {
    restarts = lasting;
    let running = false;
    for (const container of [...(status.containerStatuses ?? [])].reverse()) {
      addRestarts(restarts, container);
      const { waiting, terminated, running: isRunning } = container.state ?? {};
      if (waiting?.reason) reason = waiting.reason;
      else if (terminated) reason = exitText(terminated);
      else if (container.ready && isRunning) {
        running = true;
        ready += 1;
      }
    }
    if (reason === 'Completed' && running) reason = conditionIsTrue(pod, 'Ready') ? 'Running' : 'NotReady';
  }

  if (pod.metadata.deletionTimestamp) {
    if (status.reason === 'NodeLost') reason = 'Unknown';
    else if (status.phase !== 'Failed' && status.phase !== 'Succeeded') reason = 'Terminating';
  }
  return { ready, total, reason, restarts: restarts.count, lastRestart: restarts.last };
}

function restartsText(pod: Pod, now: number): string {
  const { restarts, lastRestart } = summarizePod(pod);
  if (restarts === 0 || lastRestart === 0) return String(restarts);
  return `${restarts} (${ageOf(new Date(lastRestart).toISOString(), now)} ago)`;
}

function readinessGates(pod: Pod): string {
  const gates = pod.spec.readinessGates ?? [];
  if (gates.length === 0) return '<none>';
  const open = gates.filter(({ conditionType }) => conditionIsTrue(pod, conditionType)).length;
  return `${open}/${gates.length}`;
}

export const podColumns: readonly Column<Pod>[] = [
  {
    name: 'Ready',
    type: 'string',
    description: 'Containers that are ready, of all that should be.',
    value: (pod) => {
      const { ready, total } = summarizePod(pod);
      return `${ready}/${total}`;
    },
  },
  {
    name: 'Status',
    type: 'string',
    description: 'What the Pod is doing, read from its phase and its containers.',
    value: (pod) => summarizePod(pod).reason,
  },
  {
    name: 'Restarts',
    type: 'string',
    description: 'How often its containers were restarted, and when last.',
    value: restartsText,
  },
  ageColumn,
  {
    name: 'IP',
    type: 'string',
    priority: 1,
    description: 'Address of the Pod.',
    value: (pod) => pod.status?.podIPs?.[0]?.ip || pod.status?.podIP || '<none>',
  },
  {
    name: 'Node',
    type: 'string',
    priority: 1,
    description: 'Node the Pod is bound to.',
    value: (pod) => pod.spec.nodeName || '<none>',
  },
  {
    name: 'Nominated Node',
    type: 'string',
    priority: 1,
    description: 'Node on which room is being made for the Pod.',
    value: (pod) => pod.status?.nominatedNodeName || '<none>',
  },
  {
    name: 'Readiness Gates',
    type: 'string',
    priority: 1,
    description: 'Further conditions that must hold before the Pod is ready.',
    value: readinessGates,
  },
];
