// Ends the containers of a Pod: preStop hook, stop signal, the rest of the grace period, SIGKILL. Regular containers end
// together, then sidecars in reverse order, then the sandbox.

import type { Container, Pod } from '../../../api';
import { type Clock, type Logger, messageOf } from '../../../kit';
import type { Prober } from '../probes/prober';
import type { ContainerObservation, ContainerRuntime, PodObservation } from '../runtime/runtime';
import { type TellPodEvent, fieldPathOf } from './pod-events';
import { isSidecar } from './pod-planner';

export interface PodTerminatorOptions {
  runtime: ContainerRuntime;
  prober: Prober;
  clock: Clock;
  logger: Logger;
  tell: TellPodEvent;
}

/** Least time a container gets after its preStop hook used up the grace period. */
const minGraceMs = 2000;

export class PodTerminator {
  /** Containers being stopped, to the time they are killed. */
  private readonly stopping = new Map<string, number>();

  constructor(private readonly options: PodTerminatorOptions) {}

  /** Stops one container. `message` is what the Killing event says. */
  async stopContainer(
    pod: Pod | undefined,
    observed: ContainerObservation,
    request: { graceMs: number; message: string; reason?: string },
  ): Promise<void> {
    const { runtime, clock, tell } = this.options;
    const container = pod && containerOf(pod, observed.name);
    const reason = request.reason ?? 'Killing';
    if (pod)
      tell(pod, { type: 'Normal', reason, message: request.message, fieldPath: fieldPathOf(pod, observed.name) });
    const deadline = clock.now() + request.graceMs;
    this.stopping.set(observed.id, deadline);
    try {
      const hook = container?.lifecycle?.preStop;
      if (pod && container && hook && request.graceMs > 0)
        await this.preStop(pod, container, observed, request.graceMs);
      const left = Math.max(this.stopping.get(observed.id)! - clock.now(), hook ? minGraceMs : 0);
      await runtime.stop(observed.id, left / 1000);
    } finally {
      this.stopping.delete(observed.id);
    }
  }

  /** Ends everything of the Pod. `pod` is undefined for leftovers whose object is not known any more. */
  async stopPod(pod: Pod | undefined, observed: PodObservation, graceMs: number): Promise<void> {
    const { runtime, clock } = this.options;
    const deadline = clock.now() + graceMs;
    const sidecars = (pod?.spec.initContainers ?? []).filter(isSidecar).map(({ name }) => name);
    const running = observed.containers.filter((entry) => entry.state === 'running');
    const stop = (entry: ContainerObservation) =>
      this.stopContainer(pod, entry, {
        graceMs: Math.max(0, deadline - clock.now()),
        message: `Stopping container ${entry.name}`,
      });
    await Promise.all(running.filter((entry) => !sidecars.includes(entry.name)).map(stop));
    for (const name of sidecars.reverse()) {
      const entry = running.find((candidate) => candidate.name === name);
      if (entry) await stop(entry);
    }
    const sandboxes = observed.sandboxes.filter((entry) => entry.state === 'running');
    await Promise.all(sandboxes.map((entry) => runtime.stop(entry.id, 0)));
  }

  /** A shorter grace period became known while stopping: kills what is still there when it is over. */
  hasten(graceMs: number): void {
    const { clock, runtime, logger } = this.options;
    const deadline = clock.now() + graceMs;
    for (const [id, before] of this.stopping) {
      if (before <= deadline) continue;
      this.stopping.set(id, deadline);
      clock.after(graceMs, () => {
        if (!this.stopping.has(id)) return;
        runtime.signal(id, 'SIGKILL').catch((error: unknown) => logger.warn('kill failed', { container: id, error }));
      });
    }
  }

  private async preStop(
    pod: Pod,
    container: Container,
    observed: ContainerObservation,
    graceMs: number,
  ): Promise<void> {
    const { prober, tell } = this.options;
    const target = { container, containerId: observed.id, podIP: pod.status?.podIP ?? '' };
    try {
      const result = await prober.run(container.lifecycle!.preStop!, target, graceMs);
      if (!result.ok) throw new Error(result.output);
    } catch (error) {
      const fieldPath = fieldPathOf(pod, container.name);
      tell(pod, {
        type: 'Warning',
        reason: 'FailedPreStopHook',
        message: `PreStopHook failed: ${messageOf(error)}`,
        fieldPath,
      });
    }
  }
}

function containerOf(pod: Pod, name: string): Container | undefined {
  return [...pod.spec.containers, ...(pod.spec.initContainers ?? [])].find((entry) => entry.name === name);
}
