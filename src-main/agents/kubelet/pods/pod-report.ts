// A Pod's status put together from what the engine shows, and handed on to be reported.

import type { ContainerStateWaiting, Pod } from '../../../api';
import type { ProbeSet } from '../probes/probe-set';
import type { PodObservation } from '../runtime/runtime';
import { computePodStatus } from './pod-status';
import type { PodSubject, PodWorkerServices } from './pod-worker-services';

export interface PodReportOptions {
  services: PodWorkerServices;
  subject: PodSubject;
  probes: ProbeSet;
  /** The Pod has just reached its end: Succeeded or Failed. */
  onEnd(): void;
}

export class PodReport {
  /** A judgement on the whole Pod that its containers do not show. */
  verdict: { phase: string; reason: string; message: string } | undefined;
  private readonly imageIds = new Map<string, string>();

  constructor(private readonly options: PodReportOptions) {}

  /** The Pod with the newest status: ours if it was not taken yet, with foreign conditions as the API has them. */
  current(): Pod {
    const { subject, services } = this.options;
    const pod = subject.pod!;
    const own = services.statuses.latest(subject.identity.uid);
    if (!own) return pod;
    const mine = new Set((own.conditions ?? []).map((condition) => condition.type));
    const foreign = (pod.status?.conditions ?? []).filter((condition) => !mine.has(condition.type));
    return { ...pod, status: { ...own, conditions: [...(own.conditions ?? []), ...foreign] } };
  }

  async publish(observed: PodObservation, waiting: ReadonlyMap<string, ContainerStateWaiting>): Promise<void> {
    const { services, subject, probes, onEnd } = this.options;
    const { messages, statuses, node, clock } = services;
    await messages.read(observed);
    for (const { image } of observed.containers) await this.learnImage(image);
    const current = this.current();
    const status = computePodStatus({
      pod: current,
      observed,
      waiting,
      isReady: (container, id) => probes.ready(container, id),
      isStarted: (container, id) => probes.started(container, id),
      terminationMessage: (id) => messages.get(id),
      imageIdOf: (entry) => this.imageIds.get(entry.image) ?? entry.imageId,
      hostIP: node.ip,
      now: clock.now(),
      verdict: this.verdict,
    });
    if (!subject.vanished) statuses.publish(subject.pod!, status);
    const over = status.phase === 'Succeeded' || status.phase === 'Failed';
    if (over && current.status?.phase !== status.phase) onEnd();
  }

  private async learnImage(image: string): Promise<void> {
    if (this.imageIds.has(image)) return;
    const found = await this.options.services.runtime.image(image);
    if (found) this.imageIds.set(image, found.imageId);
  }
}
