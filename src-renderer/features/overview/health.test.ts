import { describe, expect, it } from 'vitest';
import type { Node, Pod } from '../../../src-main/api';
import { groupPods, judgeHealth, type Observed } from './health';

const ready: Node = { metadata: { name: 'n1' }, status: { conditions: [{ type: 'Ready', status: 'True' }] } };
const lost: Node = { metadata: { name: 'n2' }, status: { conditions: [{ type: 'Ready', status: 'Unknown' }] } };
function pod(name: string, reason?: string): Pod {
  const state = reason ? { waiting: { reason } } : { running: {} };
  const status = { name: 'c', ready: !reason, restartCount: 0, image: '', imageID: '', state };
  return {
    metadata: { name, uid: name, namespace: 'default' },
    spec: { containers: [{ name: 'c' }] },
    status: { phase: reason === 'ContainerCreating' ? 'Pending' : 'Running', containerStatuses: [status] },
  };
}
const calm: Observed = {
  controlPlane: { state: 'running', restarts: 0 },
  stale: false,
  nodes: [ready],
  pods: [pod('a')],
  deployments: [],
};
const keys = (observed: Partial<Observed>) => {
  const { verdict, problems } = judgeHealth({ ...calm, ...observed });
  return [verdict, ...problems.map((problem) => problem.key)];
};

describe('judgeHealth', () => {
  it('says ok only when nothing is wrong or moving', () => {
    expect(keys({})).toEqual(['ok']);
    expect(keys({ pods: [pod('a', 'ContainerCreating')] })).toEqual(['busy', 'podStarting']);
  });

  it('puts what is wrong before what is on its way', () => {
    const pods = [pod('a', 'ContainerCreating'), pod('b', 'CrashLoopBackOff')];
    expect(keys({ nodes: [ready, lost], pods })).toEqual(['bad', 'nodeNotReady', 'podBad', 'podStarting']);
  });

  it('names a few Pods and counts the rest', () => {
    const pods = ['a', 'b', 'c', 'd', 'e'].map((name) => pod(name, 'ImagePullBackOff'));
    const { problems } = judgeHealth({ ...calm, pods });
    expect(problems.map((problem) => problem.key)).toEqual(['podBad', 'podBad', 'podBad', 'podsMore']);
    expect(problems.at(-1)!.values).toEqual({ count: 2 });
  });

  it('blames the control plane before the staleness it causes', () => {
    expect(keys({ stale: true })).toEqual(['bad', 'stale']);
    expect(keys({ stale: true, controlPlane: { state: 'restarting', restarts: 1 } })).toEqual(['bad', 'controlPlane']);
  });

  it('counts Pods by how they are', () => {
    expect(groupPods([pod('a'), pod('b', 'ContainerCreating'), pod('c', 'ErrImagePull')])).toEqual({
      running: 1,
      progress: 1,
      warn: 0,
      bad: 1,
      done: 0,
    });
  });
});
