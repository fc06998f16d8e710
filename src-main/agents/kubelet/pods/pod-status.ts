// The status of a Pod as the API shows it: a pure function of the Pod, the engine's view, waiting reasons and probes.

import type { Container, ContainerState, ContainerStateWaiting, ContainerStatus } from '../../../api';
import type { Pod, PodCondition, PodStatus } from '../../../api';
import type { ContainerObservation, PodObservation } from '../runtime/runtime';
import { isSidecar } from './pod-planner';
import { qosClassOf } from './quality-of-service';

export interface StatusInput {
  pod: Pod;
  observed: PodObservation;
  /** Why a container that should run does not, by container name. */
  waiting: ReadonlyMap<string, ContainerStateWaiting>;
  isReady(container: Container, containerId: string): boolean;
  isStarted(container: Container, containerId: string): boolean;
  terminationMessage(containerId: string): string | undefined;
  imageIdOf(container: ContainerObservation): string;
  hostIP: string;
  now: number;
  /** A verdict on the whole Pod (DeadlineExceeded, …) that overrides the computed phase. */
  verdict?: { phase: string; reason: string; message: string };
}

export function timeText(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}

function terminatedState(observed: ContainerObservation, message: string | undefined): ContainerState {
  const reason = observed.oomKilled
    ? 'OOMKilled'
    : observed.startError
      ? 'StartError'
      : observed.exitCode === 0
        ? 'Completed'
        : 'Error';
  const text = observed.startError || message;
  return {
    terminated: {
      exitCode: observed.exitCode,
      reason,
      ...(text ? { message: text } : {}),
      startedAt: observed.startedAt ? timeText(observed.startedAt) : '1970-01-01T00:00:00Z',
      finishedAt: timeText(observed.finishedAt || observed.createdAt),
      containerID: `docker://${observed.id}`,
    },
  };
}

function containerStatus(input: StatusInput, container: Container, init: boolean): ContainerStatus {
  const runs = input.observed.containers.filter((c) => c.name === container.name && c.state !== 'created');
  const [current, previous] = runs;
  const known = [...(input.pod.status?.containerStatuses ?? []), ...(input.pod.status?.initContainerStatuses ?? [])];
  const before = known.find((entry) => entry.name === container.name);
  const waiting = input.waiting.get(container.name);
  const ended = (run: ContainerObservation) => terminatedState(run, input.terminationMessage(run.id));
  const base = { name: container.name, image: container.image ?? '', restartCount: before?.restartCount ?? 0 };
  if (!current) {
    const hasInit = (input.pod.spec.initContainers?.length ?? 0) > 0;
    const fallback = { reason: hasInit ? 'PodInitializing' : 'ContainerCreating' };
    // Docker lost a container the API knows to have ended: what was reported stays.
    const state = before?.state?.terminated && !waiting ? before.state : { waiting: waiting ?? fallback };
    const lastState = before?.lastState ?? {};
    const containerID = before?.state?.terminated ? before.containerID : undefined;
    const imageID = before?.imageID ?? '';
    return {
      ...base,
      state,
      lastState,
      ready: false,
      started: false,
      imageID,
      ...(containerID ? { containerID } : {}),
    };
  }
  const running = current.state === 'running';
  const started = running && input.isStarted(container, current.id);
  const succeeded = init && !isSidecar(container) && current.state === 'exited' && current.exitCode === 0;
  const showWaiting = !running && waiting !== undefined;
  const state: ContainerState = showWaiting
    ? { waiting }
    : running
      ? { running: { startedAt: timeText(current.startedAt) } }
      : ended(current);
  const last = showWaiting ? current : previous;
  return {
    ...base,
    restartCount: Math.max(current.attempt, base.restartCount),
    state,
    lastState: last && last.state === 'exited' ? ended(last) : (before?.lastState ?? {}),
    ready: succeeded || (started && input.isReady(container, current.id)),
    started,
    imageID: input.imageIdOf(current),
    containerID: `docker://${current.id}`,
  };
}

function initializationOf(input: StatusInput, statuses: readonly ContainerStatus[]) {
  let pending = 0;
  let failed = 0;
  const incomplete: string[] = [];
  for (const container of input.pod.spec.initContainers ?? []) {
    const status = statuses.find((entry) => entry.name === container.name)!;
    const ended = status.state?.terminated ?? (status.state?.waiting ? status.lastState?.terminated : undefined);
    const complete = isSidecar(container) ? status.started === true : status.ready;
    if (complete) continue;
    incomplete.push(container.name);
    if (ended && ended.exitCode !== 0) failed += 1;
    else pending += 1;
  }
  return { pending, failed, incomplete };
}

function phaseOf(input: StatusInput, status: PodStatus): string {
  const old = input.pod.status?.phase;
  if (old === 'Succeeded' || old === 'Failed') return old;
  const policy = input.pod.spec.restartPolicy ?? 'Always';
  let [running, waiting, stopped, succeeded] = [0, 0, 0, 0];
  for (const { state, lastState } of status.containerStatuses ?? []) {
    const ended = state?.terminated ?? (state?.waiting ? lastState?.terminated : undefined);
    if (state?.running) running += 1;
    else if (!ended) waiting += 1;
    else {
      stopped += 1;
      if (state?.terminated?.exitCode === 0) succeeded += 1;
    }
  }
  const { pending, failed } = initializationOf(input, status.initContainerStatuses ?? []);
  const sidecarRuns = (input.pod.spec.initContainers ?? []).some(
    (c) => isSidecar(c) && status.initContainerStatuses?.find((entry) => entry.name === c.name)?.state?.running,
  );
  if (failed > 0 && running + stopped === 0 && policy === 'Never') return 'Failed';
  if (pending + failed > 0 && running + stopped === 0) return 'Pending';
  if (waiting > 0) return 'Pending';
  if (running > 0) return 'Running';
  if (stopped === 0) return 'Pending';
  if (policy === 'Always' || sidecarRuns) return 'Running';
  if (stopped === succeeded) return 'Succeeded';
  return policy === 'Never' ? 'Failed' : 'Running';
}

interface Verdict {
  status: 'True' | 'False';
  reason?: string;
  message?: string;
}

function readinessOf(input: StatusInput, status: PodStatus, incomplete: readonly string[]): Verdict {
  if (status.phase === 'Succeeded') return { status: 'False', reason: 'PodCompleted' };
  if (status.phase === 'Failed') return { status: 'False', reason: 'PodFailed' };
  const sidecars = (input.pod.spec.initContainers ?? []).filter(isSidecar);
  const all = [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])];
  const relevant = [...sidecars, ...input.pod.spec.containers].map((c) => all.find((entry) => entry.name === c.name)!);
  const unready = relevant.filter((entry) => !entry.ready).map((entry) => entry.name);
  const parts = [
    ...(unready.length > 0 ? [`containers with unready status: [${unready.join(' ')}]`] : []),
    ...(incomplete.length > 0 && unready.length === 0
      ? [`containers with incomplete status: [${incomplete.join(' ')}]`]
      : []),
  ];
  if (parts.length === 0) return { status: 'True' };
  return { status: 'False', reason: 'ContainersNotReady', message: parts.join(', ') };
}

function conditionsOf(input: StatusInput, status: PodStatus): PodCondition[] {
  const old = input.pod.status?.conditions ?? [];
  const { incomplete } = initializationOf(input, status.initContainerStatuses ?? []);
  const containersReady = readinessOf(input, status, incomplete);
  const gates = input.pod.spec.readinessGates ?? [];
  const closed = gates.filter((gate) => !old.some((c) => c.type === gate.conditionType && c.status === 'True'));
  const sandboxUp = input.observed.sandboxes[0]?.state === 'running';
  const initialized: Verdict =
    status.phase === 'Succeeded'
      ? { status: 'True', reason: 'PodCompleted' }
      : incomplete.length > 0
        ? {
            status: 'False',
            reason: 'ContainersNotInitialized',
            message: `containers with incomplete status: [${incomplete.join(' ')}]`,
          }
        : { status: 'True' };
  const ready: Verdict =
    containersReady.status === 'True' && closed.length > 0
      ? {
          status: 'False',
          reason: 'ReadinessGatesNotReady',
          message: closed
            .map(
              (g) =>
                `corresponding condition of pod readiness gate "${g.conditionType}" does not exist or is not True.`,
            )
            .join(' '),
        }
      : containersReady;
  const own: [string, Verdict][] = [
    ['PodReadyToStartContainers', { status: sandboxUp ? 'True' : 'False' }],
    ['Initialized', initialized],
    ['Ready', ready],
    ['ContainersReady', containersReady],
    ['PodScheduled', { status: 'True' }],
  ];
  const generation = input.pod.metadata.generation;
  const made = own.map(([type, verdict]): PodCondition => {
    const before = old.find((condition) => condition.type === type);
    const same = before?.status === verdict.status;
    return {
      type,
      ...verdict,
      ...(generation === undefined ? {} : { observedGeneration: generation }),
      lastProbeTime: null,
      lastTransitionTime: same ? before.lastTransitionTime : timeText(input.now),
    };
  });
  const foreign = old.filter((condition) => !own.some(([type]) => type === condition.type));
  return [...made, ...foreign];
}

/** Never turns a terminal phase back; keeps transition times of conditions that did not change. */
export function computePodStatus(input: StatusInput): PodStatus {
  const { pod, observed } = input;
  const initContainerStatuses = (pod.spec.initContainers ?? []).map((c) => containerStatus(input, c, true));
  const status: PodStatus = {
    ...(pod.metadata.generation === undefined ? {} : { observedGeneration: pod.metadata.generation }),
    ...(initContainerStatuses.length > 0 ? { initContainerStatuses } : {}),
    containerStatuses: pod.spec.containers.map((c) => containerStatus(input, c, false)),
  };
  status.phase = input.verdict?.phase ?? phaseOf(input, status);
  const said = input.verdict ?? (pod.status?.phase === status.phase ? pod.status : undefined);
  if (said?.reason) status.reason = said.reason;
  if (said?.message) status.message = said.message;
  status.conditions = conditionsOf(input, status);
  status.hostIP = input.hostIP;
  status.hostIPs = [{ ip: input.hostIP }];
  const podIP = pod.spec.hostNetwork ? input.hostIP : observed.sandboxes[0]?.ip || pod.status?.podIP;
  if (podIP) {
    status.podIP = podIP;
    status.podIPs = [{ ip: podIP }];
  }
  status.startTime = pod.status?.startTime ?? timeText(input.now);
  status.qosClass = pod.status?.qosClass ?? qosClassOf(pod);
  return status;
}
