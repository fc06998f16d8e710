// Docker's inspect answer as an observation: pure, so that every odd state Docker can report has a row in the tests.

import type { ContainerInspectInfo } from 'dockerode';
import { labels, sandboxContainerName } from './names';
import type { ContainerObservation, PodObservation } from './runtime';

/** Docker writes 0001-01-01T00:00:00Z for "never". */
function time(text: string | undefined): number {
  const value = text ? Date.parse(text) : Number.NaN;
  return Number.isNaN(value) || value < 0 ? 0 : value;
}

export function observationOf(info: ContainerInspectInfo): ContainerObservation {
  const own = info.Config.Labels ?? {};
  const sandbox = own[labels.type] === 'podsandbox' || own[labels.containerName] === sandboxContainerName;
  const { State: state } = info;
  const startedAt = time(state.StartedAt);
  // Docker leaves a container that could not start in "created", with the exit code of the failed attempt.
  const failedStart = state.Status === 'created' && (state.ExitCode !== 0 || state.Error !== '');
  const running = state.Running && state.Status !== 'dead' && state.Status !== 'removing';
  const network = Object.values(info.NetworkSettings?.Networks ?? {}).find((entry) => entry.IPAddress);
  return {
    id: info.Id,
    name: own[labels.containerName] ?? '',
    type: sandbox ? 'sandbox' : 'container',
    attempt: Number(own[labels.attempt] ?? '0') || 0,
    state: running ? 'running' : state.Status === 'created' && !failedStart ? 'created' : 'exited',
    pid: state.Pid,
    exitCode: failedStart ? state.ExitCode || 128 : state.ExitCode,
    oomKilled: state.OOMKilled,
    startError: startedAt === 0 || failedStart ? state.Error : '',
    createdAt: time(info.Created),
    startedAt,
    finishedAt: time(state.FinishedAt) || (failedStart ? time(info.Created) : 0),
    image: info.Config.Image,
    imageId: `docker://${info.Image}`,
    hash: own[labels.hash] ?? '',
    sandboxId: own[labels.sandboxId] ?? '',
    ip: network?.IPAddress ?? '',
    labels: own,
    tty: info.Config.Tty,
  };
}

/** Groups observations by Pod, newest first. Containers without a Pod's labels are not ours and are left out. */
export function groupByPod(observations: readonly ContainerObservation[]): PodObservation[] {
  const pods = new Map<string, PodObservation>();
  const newestFirst = [...observations].sort((a, b) => b.attempt - a.attempt || b.createdAt - a.createdAt);
  for (const observation of newestFirst) {
    const uid = observation.labels[labels.podUid];
    if (!uid) continue;
    let pod = pods.get(uid);
    if (!pod) {
      const name = observation.labels[labels.podName] ?? '';
      const namespace = observation.labels[labels.podNamespace] ?? '';
      pod = { uid, name, namespace, sandboxes: [], containers: [] };
      pods.set(uid, pod);
    }
    (observation.type === 'sandbox' ? pod.sandboxes : pod.containers).push(observation);
  }
  return [...pods.values()];
}
