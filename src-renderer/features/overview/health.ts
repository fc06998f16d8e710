// The cluster's health as sentences: what is wrong first, then what is merely on its way.

import type { Deployment, Node, Pod } from '../../../src-main/api';
import type { ClusterView } from '../../../src-main/contract';
import { summarizeDeployment, summarizeNode, summarizePod, type Tone } from '../../model';

export type ProblemKey =
  | 'controlPlane'
  | 'nodeNotReady'
  | 'podBad'
  | 'podWaiting'
  | 'podsMore'
  | 'deploymentBad'
  | 'deploymentBusy'
  | 'podStarting'
  | 'stale';

export interface Problem {
  id: string;
  key: ProblemKey;
  tone: Tone;
  values: Record<string, string | number>;
  /** Page that shows the object. */
  route?: { name: 'node' | 'pod' | 'deployment' | 'pods'; params?: Record<string, string> };
}

export interface Health {
  verdict: 'ok' | 'busy' | 'bad';
  problems: Problem[];
}

export interface Observed {
  controlPlane: ClusterView['controlPlane'];
  stale: boolean;
  nodes: readonly Node[];
  pods: readonly Pod[];
  deployments: readonly Deployment[];
}

const podsNamed = 3;

function podProblems(pods: readonly Pod[]): Problem[] {
  const unhappy: Problem[] = [];
  let moving = 0;
  for (const pod of pods) {
    const { tone, status } = summarizePod(pod);
    const { name = '', namespace = '', uid = '' } = pod.metadata;
    const route = { name: 'pod', params: { namespace, name } } as const;
    const leaving = pod.metadata.deletionTimestamp !== undefined;
    const waiting = tone === 'warn' && status === 'Pending';
    if (tone === 'bad' && !leaving) unhappy.push({ id: uid, key: 'podBad', tone, values: { name, status }, route });
    else if (waiting && !leaving) unhappy.push({ id: uid, key: 'podWaiting', tone, values: { name }, route });
    else if (tone === 'progress' || tone === 'warn') moving += 1;
  }
  const more = unhappy.length - podsNamed;
  const named = unhappy.slice(0, podsNamed);
  if (more > 0)
    named.push({ id: 'more', key: 'podsMore', tone: 'bad', values: { count: more }, route: { name: 'pods' } });
  if (moving > 0) {
    named.push({
      id: 'moving',
      key: 'podStarting',
      tone: 'progress',
      values: { count: moving },
      route: { name: 'pods' },
    });
  }
  return named;
}

function deploymentProblems(deployments: readonly Deployment[]): Problem[] {
  return deployments.flatMap((deployment): Problem[] => {
    const { state, tone, ready, wanted } = summarizeDeployment(deployment);
    if (state !== 'failed' && state !== 'progressing') return [];
    const { name = '', namespace = '', uid = '' } = deployment.metadata;
    const key = state === 'failed' ? 'deploymentBad' : 'deploymentBusy';
    return [
      {
        id: uid,
        key,
        tone,
        values: { name, ready, wanted },
        route: { name: 'deployment', params: { namespace, name } },
      },
    ];
  });
}

export function judgeHealth({ controlPlane, stale, nodes, pods, deployments }: Observed): Health {
  const problems: Problem[] = [];
  if (controlPlane.state !== 'running') {
    problems.push({ id: 'control plane', key: 'controlPlane', tone: 'bad', values: { state: controlPlane.state } });
  } else if (stale) problems.push({ id: 'stale', key: 'stale', tone: 'warn', values: {} });
  for (const node of nodes) {
    const name = node.metadata.name ?? '';
    if (!summarizeNode(node).ready) {
      problems.push({
        id: `node ${name}`,
        key: 'nodeNotReady',
        tone: 'bad',
        values: { name },
        route: { name: 'node', params: { name } },
      });
    }
  }
  problems.push(...podProblems(pods), ...deploymentProblems(deployments));
  const order: Tone[] = ['bad', 'warn', 'progress'];
  problems.sort((a, b) => order.indexOf(a.tone) - order.indexOf(b.tone));
  const serious = problems.some((problem) => problem.tone !== 'progress');
  return { verdict: serious ? 'bad' : problems.length > 0 ? 'busy' : 'ok', problems };
}

export type PodGroup = 'running' | 'progress' | 'warn' | 'bad' | 'done';

/** Pods counted by how they are. */
export function groupPods(pods: readonly Pod[]): Record<PodGroup, number> {
  const groups: Record<PodGroup, number> = { running: 0, progress: 0, warn: 0, bad: 0, done: 0 };
  for (const pod of pods) {
    const { tone } = summarizePod(pod);
    groups[tone === 'ok' ? 'running' : tone === 'idle' ? 'done' : tone] += 1;
  }
  return groups;
}
