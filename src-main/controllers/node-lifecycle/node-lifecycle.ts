// Watches over heartbeats: a node that neither renews its Lease nor posts its status for 40 s becomes Unknown, is
// tainted, and its Pods stop counting as ready. Time is measured by when a change was seen here, so that a node's clock
// may be wrong and a controller that was away judges nobody before a full grace period.

import { type Lease, type Node, type Pod, resources } from '../../api';
import { ApiError, nameOf, objectKey, referenceTo } from '../../client';
import {
  type ControllerContext,
  type ControllerDeclaration,
  mapped,
  type Outcome,
  primary,
  type Reconciler,
} from '../engine';
import { conditionOf } from '../pod-state';
import { plannedTaints, silentConditions, taintsDiffer, unreadyConditions } from './plan';

const nodeNotReady = 'NodeNotReady';
export const nodeGraceMs = 40_000;
export const leaseNamespace = 'kube-node-lease';
export const podsByNode = 'pods-by-node';

export const indexByNode = ({ spec }: Pod): string[] => (spec.nodeName ? [spec.nodeName] : []);

export const nodeLifecycleController: ControllerDeclaration = {
  name: 'node-lifecycle',
  component: 'node-controller',
  watches: () => [
    primary(resources.nodes),
    mapped<Lease>(resources.leases, ({ object: { metadata } }) =>
      metadata.namespace === leaseNamespace ? [metadata.name ?? ''] : [],
    ),
  ],
  create: (context) => new NodeLifecycleReconciler(context),
};

interface Sign {
  /** What the node last told: lease renewal and heartbeat. */
  told: string;
  seenAt: number;
}

class NodeLifecycleReconciler implements Reconciler {
  private readonly signs = new Map<string, Sign>();

  constructor(private readonly context: ControllerContext) {
    context.informers.index<Pod>(resources.pods, podsByNode, indexByNode);
  }

  async reconcile(key: string): Promise<Outcome> {
    const { informers, clock } = this.context;
    const node = informers.lister<Node>(resources.nodes).get(key);
    if (!node) {
      this.signs.delete(key);
      return;
    }
    if (node.metadata.deletionTimestamp) return;
    const left = this.sign(node).seenAt + nodeGraceMs - clock.now();
    let conditions = node.status?.conditions ?? [];
    const silent = left <= 0;
    if (silent) {
      conditions = await this.silence(node);
      // Of a node that is not ready but still reports, the kubelet itself says which Pods are.
      await this.unreadyPods(node);
    }
    await this.taint(node, conditions);
    return silent ? undefined : { requeueAfterMs: left };
  }

  private sign(node: Node): Sign {
    const { informers, clock } = this.context;
    const key = node.metadata.name ?? '';
    const lease = informers.lister<Lease>(resources.leases).get(`${leaseNamespace}/${key}`);
    const heartbeat = conditionOf(node.status?.conditions, 'Ready')?.lastHeartbeatTime ?? '';
    const told = `${lease?.spec?.renewTime ?? ''} ${heartbeat}`;
    const known = this.signs.get(key);
    if (known?.told === told) return known;
    const sign = { told, seenAt: clock.now() };
    this.signs.set(key, sign);
    return sign;
  }

  /** Marks the conditions Unknown, once. */
  private async silence(node: Node): Promise<NonNullable<NonNullable<Node['status']>['conditions']>> {
    const { client, clock, events, logger } = this.context;
    const before = conditionOf(node.status?.conditions, 'Ready')?.status;
    const conditions = silentConditions(node, clock.now());
    if (before === 'Unknown') return conditions;
    const { resourceVersion } = node.metadata;
    const body = { metadata: { resourceVersion }, status: { conditions } };
    await client.patch(resources.nodes, nameOf(node), { type: 'merge', subresource: 'status', body });
    logger.warn('node stopped reporting', { node: node.metadata.name });
    if (before === 'True') {
      const message = `Node ${node.metadata.name} status is now: ${nodeNotReady}`;
      const about = referenceTo({ apiVersion: 'v1', kind: 'Node' }, node);
      events.record(about, { type: 'Normal', reason: nodeNotReady, message });
    }
    return conditions;
  }

  private async unreadyPods(node: Node): Promise<void> {
    const { client, clock, events, informers } = this.context;
    const pods = informers.lister<Pod>(resources.pods).byIndex(podsByNode, node.metadata.name ?? '');
    for (const pod of pods) {
      const conditions = unreadyConditions(pod, clock.now());
      if (!conditions) continue;
      const { uid, resourceVersion } = pod.metadata;
      const body = { metadata: { uid, resourceVersion }, status: { conditions } };
      try {
        await client.patch(resources.pods, nameOf(pod), { type: 'merge', subresource: 'status', body });
      } catch (error) {
        if (ApiError.is(error, 'NotFound')) continue;
        throw error;
      }
      const about = referenceTo({ apiVersion: 'v1', kind: 'Pod' }, pod);
      events.record(about, { type: 'Warning', reason: nodeNotReady, message: 'Node is not ready' });
    }
  }

  private async taint(node: Node, conditions: readonly { type: string; status: string }[]): Promise<void> {
    const { client, clock, logger, informers } = this.context;
    const taints = plannedTaints(node, conditions, clock.now());
    if (!taintsDiffer(node, taints)) return;
    // The status written a moment ago raised the version: a stale view is told apart by the spec itself.
    const current = await client.get<Node>(resources.nodes, nameOf(node));
    if (taintsDiffer(current, node.spec?.taints ?? [])) return;
    const { resourceVersion } = current.metadata;
    const body = { metadata: { resourceVersion }, spec: { taints: taints.length > 0 ? taints : null } };
    await client.patch(resources.nodes, nameOf(node), { type: 'merge', body });
    const known = informers.lister<Node>(resources.nodes).get(objectKey(node));
    logger.info('node taints changed', { node: node.metadata.name, from: known?.spec?.taints, to: taints });
  }
}
