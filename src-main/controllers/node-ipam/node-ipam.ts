// Gives every node its Pod CIDR: a /24 of the Pod network, kept as long as the node exists and free again after it.

import { type Node, resources } from '../../api';
import { nameOf, referenceTo } from '../../client';
import { type ControllerContext, type ControllerDeclaration, type Outcome, primary, type Reconciler } from '../engine';
import { freeSubnet } from './subnets';

const cidrNotAvailable = 'CIDRNotAvailable';

export const nodeIpamController: ControllerDeclaration = {
  name: 'node-ipam',
  component: 'cidrAllocator',
  // One at a time: two nodes must not be given the same subnet.
  concurrency: 1,
  watches: () => [primary(resources.nodes)],
  create: (context) => new NodeIpamReconciler(context),
};

class NodeIpamReconciler implements Reconciler {
  /** Given by us and perhaps not in the lister yet. */
  private readonly given = new Map<string, string>();

  constructor(private readonly context: ControllerContext) {}

  async reconcile(key: string): Promise<Outcome> {
    const { informers, client, settings, events } = this.context;
    const nodes = informers.lister<Node>(resources.nodes);
    const node = nodes.get(key);
    if (!node) {
      this.given.delete(key);
      return;
    }
    if (node.metadata.deletionTimestamp) return;
    if (node.spec?.podCIDR) {
      this.given.delete(key);
      return;
    }
    const taken = new Set([...this.given].filter(([name]) => name !== key).map(([, cidr]) => cidr));
    for (const { spec } of nodes.list()) {
      for (const cidr of spec?.podCIDRs ?? (spec?.podCIDR ? [spec.podCIDR] : [])) taken.add(cidr);
    }
    const podCIDR = this.given.get(key) ?? freeSubnet(settings.podNetwork, taken);
    if (!podCIDR) {
      const message = `Node ${key} status is now: ${cidrNotAvailable}`;
      const about = referenceTo({ apiVersion: 'v1', kind: 'Node' }, node);
      events.record(about, { type: 'Normal', reason: cidrNotAvailable, message });
      throw new Error(`no free /24 is left in the Pod network ${settings.podNetwork}`);
    }
    this.given.set(key, podCIDR);
    const { resourceVersion } = node.metadata;
    const body = { metadata: { resourceVersion }, spec: { podCIDR, podCIDRs: [podCIDR] } };
    await client.patch(resources.nodes, nameOf(node), { type: 'merge', body });
  }
}
