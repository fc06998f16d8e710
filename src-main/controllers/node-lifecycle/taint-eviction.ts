// Deletes Pods from nodes with a NoExecute taint they do not tolerate, at once or when their toleration runs out.

import { type Node, type Pod, resources, type Taint, type Toleration } from '../../api';
import { ApiError, nameOf, objectKey, referenceTo } from '../../client';
import {
  type ControllerContext,
  type ControllerDeclaration,
  mapped,
  type Outcome,
  primary,
  type Reconciler,
} from '../engine';
import { isFinished } from '../pod-state';
import { indexByNode, podsByNode } from './node-lifecycle';

const taintManagerEviction = 'TaintManagerEviction';

export const taintEvictionController: ControllerDeclaration = {
  name: 'taint-eviction',
  component: 'taint-eviction-controller',
  watches: () => [
    primary(resources.pods),
    mapped<Node>(resources.nodes, ({ object, old }, { informers }) => {
      if (noExecute(object).length + (old ? noExecute(old).length : 0) === 0) return [];
      return informers
        .lister<Pod>(resources.pods)
        .byIndex(podsByNode, object.metadata.name ?? '')
        .map(objectKey);
    }),
  ],
  create: (context) => new TaintEvictionReconciler(context),
};

function noExecute({ spec }: Node): Taint[] {
  return spec?.taints?.filter(({ effect }) => effect === 'NoExecute') ?? [];
}

class TaintEvictionReconciler implements Reconciler {
  constructor(private readonly context: ControllerContext) {
    context.informers.index<Pod>(resources.pods, podsByNode, indexByNode);
  }

  async reconcile(key: string): Promise<Outcome> {
    const { informers, clock, client, events } = this.context;
    const pod = informers.lister<Pod>(resources.pods).get(key);
    if (!pod?.spec.nodeName || pod.metadata.deletionTimestamp || isFinished(pod)) return;
    const node = informers.lister<Node>(resources.nodes).get(pod.spec.nodeName);
    if (!node) return;
    const left = untilEviction(pod.spec.tolerations ?? [], noExecute(node), clock.now());
    if (left === undefined) return;
    if (left > 0) return { requeueAfterMs: left };
    const about = referenceTo({ apiVersion: 'v1', kind: 'Pod' }, pod);
    const message = `Marking for deletion Pod ${key}`;
    events.record(about, { type: 'Normal', reason: taintManagerEviction, message });
    try {
      await client.delete(resources.pods, nameOf(pod), { preconditions: { uid: pod.metadata.uid } });
    } catch (error) {
      if (!ApiError.is(error, 'NotFound') && !ApiError.is(error, 'Conflict')) throw error;
    }
  }
}

/** Milliseconds until the Pod must go, 0 = now, undefined = it may stay. */
export function untilEviction(
  tolerations: readonly Toleration[],
  taints: readonly Taint[],
  now: number,
): number | undefined {
  let left: number | undefined;
  for (const taint of taints) {
    const matching = tolerations.filter((toleration) => tolerates(toleration, taint));
    if (matching.length === 0) return 0;
    const seconds = matching.map(({ tolerationSeconds }) => tolerationSeconds).filter((value) => value !== undefined);
    if (seconds.length === 0) continue;
    const since = taint.timeAdded ? Date.parse(taint.timeAdded) : now;
    const wait = Math.max(0, since + Math.max(0, Math.min(...seconds)) * 1000 - now);
    left = Math.min(left ?? wait, wait);
  }
  return left;
}

function tolerates({ key, operator, value, effect }: Toleration, taint: Taint): boolean {
  if (effect && effect !== taint.effect) return false;
  if (key && key !== taint.key) return false;
  if (operator === 'Exists') return true;
  return Boolean(key) && (value ?? '') === (taint.value ?? '');
}
