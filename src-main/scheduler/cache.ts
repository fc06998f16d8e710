// What the scheduler believes about nodes: their objects and the sums of what is asked of them, kept up to date with
// every change, so that a cycle reads and never adds up. A Pod that was just bound is assumed to be on its node until
// the watch confirms it; an assumption that is not confirmed is taken back by `forget`.

import type { Node, Pod } from '../api';
import { type HostPort, podInfo, type PodInfo } from './pod-info';
import { addAmounts, type Amounts, amountsOf } from './resource-amounts';

export class NodeInfo {
  node: Node | undefined;
  allocatable: Amounts = {};
  readonly requested: Record<string, number> = {};
  readonly scoring: Record<string, number> = {};
  readonly pods = new Map<string, PodInfo>();
  hostPorts: readonly HostPort[] = [];

  constructor(readonly name: string) {}

  setNode(node: Node | undefined): void {
    this.node = node;
    this.allocatable = amountsOf(node?.status?.allocatable ?? node?.status?.capacity);
  }

  add(info: PodInfo): void {
    this.pods.set(info.uid, info);
    addAmounts(this.requested, info.requests);
    addAmounts(this.scoring, info.scoring);
    this.hostPorts = [...this.hostPorts, ...info.hostPorts];
  }

  remove(uid: string): void {
    const info = this.pods.get(uid);
    if (!info) return;
    this.pods.delete(uid);
    addAmounts(this.requested, info.requests, -1);
    addAmounts(this.scoring, info.scoring, -1);
    if (info.hostPorts.length > 0) this.hostPorts = [...this.pods.values()].flatMap(({ hostPorts }) => hostPorts);
  }
}

export class SchedulerCache {
  private readonly infos = new Map<string, NodeInfo>();
  /** Which node each counted Pod is on, by uid. */
  private readonly places = new Map<string, string>();
  private readonly assumed = new Set<string>();

  /** Nodes that exist, in the order they came. */
  nodes(): NodeInfo[] {
    return [...this.infos.values()].filter(({ node }) => node);
  }

  setNode(node: Node): void {
    this.info(node.metadata.name ?? '').setNode(node);
  }

  removeNode(name: string): void {
    const info = this.infos.get(name);
    if (!info) return;
    info.setNode(undefined);
    this.prune(info);
  }

  /** A bound Pod as the watch shows it; it confirms an assumption. Finished Pods ask for nothing. */
  setPod(pod: Pod): void {
    const info = podInfo(pod);
    this.take(info.uid);
    const finished = pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';
    if (pod.spec.nodeName && !finished) this.place(info, pod.spec.nodeName);
  }

  removePod(uid: string): void {
    this.take(uid);
  }

  assume(info: PodInfo, node: string): void {
    this.take(info.uid);
    this.place(info, node);
    this.assumed.add(info.uid);
  }

  /** Takes an assumption back, unless the watch confirmed it meanwhile. */
  forget(uid: string): void {
    if (this.assumed.has(uid)) this.take(uid);
  }

  isAssumed(uid: string): boolean {
    return this.assumed.has(uid);
  }

  private info(name: string): NodeInfo {
    let info = this.infos.get(name);
    if (!info) this.infos.set(name, (info = new NodeInfo(name)));
    return info;
  }

  private place(info: PodInfo, node: string): void {
    this.info(node).add(info);
    this.places.set(info.uid, node);
  }

  private take(uid: string): void {
    this.assumed.delete(uid);
    const place = this.places.get(uid);
    if (place === undefined) return;
    this.places.delete(uid);
    const info = this.infos.get(place)!;
    info.remove(uid);
    this.prune(info);
  }

  private prune(info: NodeInfo): void {
    if (!info.node && info.pods.size === 0) this.infos.delete(info.name);
  }
}
