// Clears away Pods nobody else ends: those bound to a node that no longer exists, those deleted before they were bound,
// and the oldest finished ones when there are too many.

import { formatTime, type Node, type Pod, type PodCondition, resources } from '../../api';
import { ApiError, nameOf, objectKey } from '../../client';
import {
  type ControllerContext,
  type ControllerDeclaration,
  mapped,
  type Outcome,
  primary,
  type Reconciler,
} from '../engine';
import { indexByNode, podsByNode } from '../node-lifecycle/node-lifecycle';
import { isFinished } from '../pod-state';

/** A node that was deleted by mistake may register again before its Pods are given up. */
const quarantineMs = 40_000;
const finishedThreshold = 12_500;
const finishedIndex = 'finished';

export const podGcController: ControllerDeclaration = {
  name: 'pod-gc',
  component: 'pod-garbage-collector',
  watches: () => [
    primary(resources.pods),
    mapped<Node>(resources.nodes, ({ object, deleted }, { informers }) =>
      deleted
        ? informers
            .lister<Pod>(resources.pods)
            .byIndex(podsByNode, object.metadata.name ?? '')
            .map(objectKey)
        : [],
    ),
  ],
  create: (context) => new PodGcReconciler(context),
};

class PodGcReconciler implements Reconciler {
  /** Since when a Pod's node has been away. */
  private readonly missing = new Map<string, number>();

  constructor(private readonly context: ControllerContext) {
    context.informers.index<Pod>(resources.pods, podsByNode, indexByNode);
    context.informers.index<Pod>(resources.pods, finishedIndex, (pod) => (isFinished(pod) ? ['yes'] : []));
  }

  async reconcile(key: string): Promise<Outcome> {
    const { informers, clock } = this.context;
    const pod = informers.lister<Pod>(resources.pods).get(key);
    if (!pod) {
      this.missing.delete(key);
      return;
    }
    if (isFinished(pod)) await this.trim();
    const { nodeName } = pod.spec;
    if (!nodeName) {
      if (pod.metadata.deletionTimestamp) await this.remove(pod);
      return;
    }
    if (informers.lister<Node>(resources.nodes).get(nodeName)) {
      this.missing.delete(key);
      return;
    }
    const since = this.missing.get(key) ?? clock.now();
    this.missing.set(key, since);
    const left = since + quarantineMs - clock.now();
    if (left > 0) return { requeueAfterMs: left };
    if (await this.nodeExists(nodeName)) return;
    if (!isFinished(pod)) await this.fail(pod);
    await this.remove(pod);
  }

  private async nodeExists(name: string): Promise<boolean> {
    try {
      await this.context.client.get(resources.nodes, { name });
      return true;
    } catch (error) {
      if (ApiError.is(error, 'NotFound')) return false;
      throw error;
    }
  }

  private async fail(pod: Pod): Promise<void> {
    const { client, clock } = this.context;
    const disrupted: PodCondition = {
      type: 'DisruptionTarget',
      status: 'True',
      reason: 'DeletionByPodGC',
      message: 'PodGC: node no longer exists',
      lastTransitionTime: formatTime(clock.now()),
    };
    const others = (pod.status?.conditions ?? []).filter(({ type }) => type !== disrupted.type);
    const body = {
      metadata: { uid: pod.metadata.uid },
      status: { phase: 'Failed', conditions: [...others, disrupted] },
    };
    await this.ignoringGone(() =>
      client.patch(resources.pods, nameOf(pod), { type: 'merge', subresource: 'status', body }),
    );
  }

  private async trim(): Promise<void> {
    const finished = this.context.informers.lister<Pod>(resources.pods).byIndex(finishedIndex, 'yes');
    const excess = finished.length - finishedThreshold;
    if (excess <= 0) return;
    const created = ({ metadata }: Pod) => metadata.creationTimestamp ?? '';
    const oldest = finished.toSorted((a, b) => (created(a) < created(b) ? -1 : 1)).slice(0, excess);
    for (const pod of oldest) await this.remove(pod);
  }

  private async remove(pod: Pod): Promise<void> {
    const options = { gracePeriodSeconds: 0, preconditions: { uid: pod.metadata.uid } };
    await this.ignoringGone(() => this.context.client.delete(resources.pods, nameOf(pod), options));
  }

  /** What is to be removed may be gone already, or another of its name be there. */
  private async ignoringGone(work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!ApiError.is(error, 'NotFound') && !ApiError.is(error, 'Conflict')) throw error;
    }
  }
}
