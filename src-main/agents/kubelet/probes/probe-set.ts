// All probes of one Pod's running containers. It follows the containers: started with them, ended with them.

import type { Container, Pod } from '../../../api';
import type { Clock, Logger } from '../../../kit';
import { type TellPodEvent, fieldPathOf } from '../pods/pod-events';
import type { ProbeView } from '../pods/pod-planner';
import type { PodObservation } from '../runtime/runtime';
import { type ProbeKind, ProbeWorker } from './probe-worker';
import type { Prober } from './prober';

export interface ProbeSetOptions {
  prober: Prober;
  clock: Clock;
  logger: Logger;
  tell: TellPodEvent;
  /** The verdict of some probe changed: plan again. */
  onChange(): void;
}

const kinds: readonly ProbeKind[] = ['startup', 'readiness', 'liveness'];

export class ProbeSet implements ProbeView {
  private readonly workers = new Map<string, Partial<Record<ProbeKind, ProbeWorker>>>();

  constructor(private readonly options: ProbeSetOptions) {}

  /** Starts probes of containers that now run and ends those of containers that do not. */
  follow(pod: Pod, observed: PodObservation, podIP: string): void {
    const running = new Map(observed.containers.filter((c) => c.state === 'running').map((c) => [c.id, c]));
    for (const [id, probes] of this.workers) {
      if (running.has(id)) continue;
      for (const worker of Object.values(probes)) worker.stop();
      this.workers.delete(id);
    }
    const containers = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])];
    for (const [id, { name, startedAt }] of running) {
      const container = containers.find((entry) => entry.name === name);
      if (!container || this.workers.has(id)) continue;
      this.workers.set(id, this.begin({ pod, container, containerId: id, podIP, startedAt }));
    }
  }

  stop(): void {
    for (const probes of this.workers.values()) for (const worker of Object.values(probes)) worker.stop();
    this.workers.clear();
  }

  livenessFailed(containerId: string): boolean {
    return this.workers.get(containerId)?.liveness?.verdict === false;
  }

  startupFailed(containerId: string): boolean {
    return this.workers.get(containerId)?.startup?.verdict === false;
  }

  started(container: Container, containerId: string): boolean {
    return !container.startupProbe || this.workers.get(containerId)?.startup?.verdict === true;
  }

  ready(container: Container, containerId: string): boolean {
    return !container.readinessProbe || this.workers.get(containerId)?.readiness?.verdict === true;
  }

  private begin(target: {
    pod: Pod;
    container: Container;
    containerId: string;
    podIP: string;
    startedAt: number;
  }): Partial<Record<ProbeKind, ProbeWorker>> {
    const { pod, container, containerId, startedAt } = target;
    const { prober, clock, logger, tell, onChange } = this.options;
    const out: Partial<Record<ProbeKind, ProbeWorker>> = {};
    for (const kind of kinds) {
      const probe = container[`${kind}Probe`];
      if (!probe) continue;
      out[kind] = new ProbeWorker({
        kind,
        probe,
        startedAt,
        clock,
        logger,
        run: () => prober.run(probe, target, (probe.timeoutSeconds ?? 1) * 1000),
        enabled: () => this.started(container, containerId),
        onChange,
        onFailure: (output) => {
          const title = kind[0]!.toUpperCase() + kind.slice(1);
          const fieldPath = fieldPathOf(pod, container.name);
          tell(pod, { type: 'Warning', reason: 'Unhealthy', message: `${title} probe failed: ${output}`, fieldPath });
        },
      });
    }
    return out;
  }
}
