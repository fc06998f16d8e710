// The extension points of the scheduler. A plugin says for one Pod and one node whether it fits (filter) and how well
// (score). Verdicts are kept for the person who asks why a Pod waits.

import type { NodeInfo } from './cache';
import type { PodInfo } from './pod-info';

/** What a change in the cluster is about, so that only Pods it can help are tried again. */
export type ClusterEvent = 'node-added' | 'node-changed' | 'pod-removed';

export interface FilterPlugin {
  readonly name: string;
  /** Reasons worded as upstream's; none when the Pod fits. `permanent` = no preemption or change of Pods can help. */
  filter(pod: PodInfo, node: NodeInfo): readonly string[];
  /** Changes after which a Pod this plugin refused is worth another try. */
  readonly wakesOn: readonly ClusterEvent[];
}

export interface ScorePlugin {
  readonly name: string;
  readonly weight: number;
  /** Any number; higher is better. */
  score(pod: PodInfo, node: NodeInfo): number;
  /** How raw scores become 0 to 100; absent = they are already. `reverse`: the lowest raw score is best. */
  readonly normalize?: 'proportional' | 'reverse';
}

export interface Framework {
  readonly filters: readonly FilterPlugin[];
  readonly scores: readonly ScorePlugin[];
}

export interface NodeVerdict {
  node: string;
  /** The plugin that refused; absent when the node fits. */
  plugin?: string;
  reasons: readonly string[];
  /** Weighted score per plugin, for nodes that fit. */
  scores?: Readonly<Record<string, number>>;
  total?: number;
}

export interface Decision {
  /** The chosen node; absent when none fits. */
  node?: string;
  verdicts: readonly NodeVerdict[];
  /** Plugins that refused at least one node. */
  refusedBy: ReadonlySet<string>;
}

const maxScore = 100;

/** Filters, scores and chooses; of several best nodes one at random (reservoir sampling). O(nodes × plugins). */
export function decide(framework: Framework, pod: PodInfo, nodes: readonly NodeInfo[], random: () => number): Decision {
  const refusedBy = new Set<string>();
  const fitting: NodeInfo[] = [];
  const verdicts: NodeVerdict[] = [];
  for (const node of nodes) {
    const refusal = refusalOf(framework, pod, node);
    if (refusal) {
      refusedBy.add(refusal.plugin!);
      verdicts.push(refusal);
    } else fitting.push(node);
  }
  if (fitting.length === 0) return { verdicts, refusedBy };
  const scored = scoreNodes(framework, pod, fitting);
  verdicts.push(...scored);
  let best = scored[0]!;
  let ties = 1;
  for (const candidate of scored.slice(1)) {
    if (candidate.total! > best.total!) {
      best = candidate;
      ties = 1;
    } else if (candidate.total === best.total && random() * ++ties < 1) best = candidate;
  }
  return { node: best.node, verdicts, refusedBy };
}

function refusalOf({ filters }: Framework, pod: PodInfo, node: NodeInfo): NodeVerdict | undefined {
  for (const plugin of filters) {
    const reasons = plugin.filter(pod, node);
    if (reasons.length > 0) return { node: node.name, plugin: plugin.name, reasons };
  }
  return undefined;
}

function scoreNodes({ scores }: Framework, pod: PodInfo, nodes: readonly NodeInfo[]): NodeVerdict[] {
  const verdicts = nodes.map((node) => ({
    node: node.name,
    reasons: [],
    scores: {} as Record<string, number>,
    total: 0,
  }));
  for (const plugin of scores) {
    const raw = nodes.map((node) => plugin.score(pod, node));
    const highest = Math.max(...raw);
    for (const [index, verdict] of verdicts.entries()) {
      const score = normalized(raw[index]!, highest, plugin.normalize) * plugin.weight;
      verdict.scores[plugin.name] = score;
      verdict.total += score;
    }
  }
  return verdicts;
}

function normalized(raw: number, highest: number, how: ScorePlugin['normalize']): number {
  if (!how) return raw;
  if (highest === 0) return how === 'reverse' ? maxScore : 0;
  const share = Math.floor((maxScore * raw) / highest);
  return how === 'reverse' ? maxScore - share : share;
}

/** `0/2 nodes are available: 1 Insufficient cpu, 1 node(s) had untolerated taint(s).` */
export function refusalMessage(decision: Decision): string {
  const total = decision.verdicts.length;
  if (total === 0) return 'no nodes available to schedule pods';
  const counts = new Map<string, number>();
  for (const reason of decision.verdicts.flatMap(({ reasons }) => reasons)) {
    counts.set(reason, (counts.get(reason) ?? 0) + 1);
  }
  // Upstream sorts the counted texts as texts.
  const texts = [...counts].map(([reason, count]) => `${count} ${reason}`).sort();
  return `0/${total} nodes are available: ${texts.join(', ')}.`;
}
