// Keeps the Node object and its Lease alive: registers, reports the status when it changes (and now and then when it
// does not), renews the Lease. An API server that is away is asked again for ever; Pods do not depend on it.

import { type Lease, type Node, type NodeStatus, resources } from '../../../api';
import { ApiError, type Client } from '../../../client';
import { type Clock, type Logger, messageOf, sleep } from '../../../kit';
import { apiRetryMaxMs } from '../../process/api-retry';
import { sameJson } from '../pods/same-json';
import { newNode, withoutHeartbeats } from './node-status';

export interface NodeRegistrarOptions {
  client: Client;
  nodeName: string;
  labels: Record<string, string>;
  taints: { key: string; value?: string; effect: string }[];
  /** The status as it is now, given the last one known. */
  status(old: NodeStatus | undefined): Promise<NodeStatus>;
  updateMs: number;
  reportMs: number;
  leaseSeconds: number;
  clock: Clock;
  logger: Logger;
}

const leaseNamespace = 'kube-node-lease';

export class NodeRegistrar {
  private reportedAt = 0;
  private failures = 0;
  private poked = () => {};

  constructor(private readonly options: NodeRegistrarOptions) {}

  /** Reports soon instead of at the next turn: something a person waits for has changed. */
  poke(): void {
    this.poked();
  }

  /** Runs until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    await Promise.all([this.loop(signal, () => this.report()), this.leaseLoop(signal)]);
  }

  private async loop(signal: AbortSignal, work: () => Promise<void>): Promise<void> {
    const { logger, updateMs } = this.options;
    while (!signal.aborted) {
      let waitMs = updateMs;
      try {
        await work();
        this.failures = 0;
      } catch (error) {
        this.failures += 1;
        waitMs = Math.min(updateMs, apiRetryMaxMs, 250 * 2 ** Math.min(this.failures, 8));
        logger.warn('node status not reported, trying again', { error, inMs: waitMs });
      }
      await this.rest(waitMs, signal);
    }
  }

  private async rest(ms: number, signal: AbortSignal): Promise<void> {
    const woken = new AbortController();
    this.poked = () => woken.abort();
    try {
      await sleep(ms, { clock: this.options.clock, signal: AbortSignal.any([signal, woken.signal]) });
    } catch (error) {
      this.options.logger.trace('rest cut short', { reason: messageOf(error) });
    }
  }

  private async report(): Promise<void> {
    const { client, nodeName, clock, reportMs, logger } = this.options;
    const present = await this.node();
    const status = await this.options.status(present?.status);
    if (!present) {
      const { labels, taints } = this.options;
      await client.create(resources.nodes, newNode({ name: nodeName, labels, taints, status }));
      logger.info('node registered', { node: nodeName });
      // A create does not carry the status of a kind that has it as a subresource.
      await this.patchStatus(status);
      this.reportedAt = clock.now();
      return;
    }
    await this.keepLabels(present);
    const changed = !sameJson(withoutHeartbeats(status), withoutHeartbeats(present.status));
    if (!changed && clock.now() - this.reportedAt < reportMs) return;
    await this.patchStatus(status);
    this.reportedAt = clock.now();
  }

  private async patchStatus(status: NodeStatus): Promise<void> {
    const { client, nodeName } = this.options;
    const patch = { type: 'merge', subresource: 'status', body: { status } } as const;
    await client.patch(resources.nodes, { name: nodeName }, patch);
  }

  private async keepLabels(node: Node): Promise<void> {
    const { client, labels, nodeName } = this.options;
    const missing = Object.entries(labels).filter(([key, value]) => node.metadata.labels?.[key] !== value);
    if (missing.length === 0) return;
    const body = { metadata: { labels: Object.fromEntries(missing) } };
    await client.patch(resources.nodes, { name: nodeName }, { type: 'merge', body });
  }

  private async node(): Promise<Node | undefined> {
    try {
      return await this.options.client.get<Node>(resources.nodes, { name: this.options.nodeName });
    } catch (error) {
      if (ApiError.is(error, 'NotFound')) return undefined;
      throw error;
    }
  }

  private async leaseLoop(signal: AbortSignal): Promise<void> {
    const { clock, leaseSeconds, logger } = this.options;
    const renewMs = (leaseSeconds * 1000) / 4;
    let failures = 0;
    while (!signal.aborted) {
      let waitMs = renewMs;
      try {
        await this.renewLease();
        failures = 0;
      } catch (error) {
        failures += 1;
        waitMs = Math.min(renewMs, apiRetryMaxMs, 200 * 2 ** Math.min(failures, 8));
        logger.debug('lease not renewed, trying again', { error });
      }
      try {
        await sleep(waitMs, { clock, signal });
      } catch (error) {
        logger.trace('stopped', { reason: messageOf(error) });
      }
    }
  }

  private async renewLease(): Promise<void> {
    const { client, nodeName, clock, leaseSeconds } = this.options;
    const renewTime = new Date(clock.now()).toISOString().replace('Z', '000Z');
    const spec = { holderIdentity: nodeName, leaseDurationSeconds: leaseSeconds, renewTime };
    const name = { namespace: leaseNamespace, name: nodeName };
    try {
      await client.patch(resources.leases, name, { type: 'merge', body: { spec } });
    } catch (error) {
      if (!ApiError.is(error, 'NotFound')) throw error;
      const node = await this.node();
      const owner = node && { apiVersion: 'v1', kind: 'Node', name: nodeName, uid: node.metadata.uid! };
      const lease: Lease = {
        apiVersion: 'coordination.k8s.io/v1',
        kind: 'Lease',
        metadata: { ...name, ...(owner ? { ownerReferences: [owner] } : {}) },
        spec,
      };
      await client.create(resources.leases, lease, { namespace: leaseNamespace });
    }
  }
}
