// Decides what to do next for one Pod: a pure function of the Pod, what the engine shows and what the probes say. It is
// asked again after every step that changes the picture, so a plan holds only steps that do not depend on each other.

import type { Container, ContainerStateWaiting, Pod } from '../../../api';
import type { ContainerObservation, PodObservation } from '../runtime/runtime';
import { describePod, identityOf } from '../runtime/names';
import { durationText } from './restart-backoff';

export interface ProbeView {
  /** The container ran into its failure threshold. */
  livenessFailed(containerId: string): boolean;
  startupFailed(containerId: string): boolean;
  /** No startup probe, or it has succeeded. */
  started(container: Container, containerId: string): boolean;
}

export interface PlanInput {
  pod: Pod;
  observed: PodObservation;
  backoff(containerName: string, since: number): { waitMs: number; delayMs: number };
  probes: ProbeView;
  hashOf(container: Container): string;
}

export interface ContainerStart {
  container: Container;
  attempt: number;
  init: boolean;
  /** Not the first start: counts for the restart backoff. */
  restart: boolean;
}

export interface PodActions {
  /** Stop all containers and the sandbox before anything else. */
  killSandbox: boolean;
  createSandbox?: { attempt: number };
  /** The sandbox the starts below belong to. */
  sandbox?: ContainerObservation;
  kill: { observed: ContainerObservation; reason: string; message: string }[];
  remove: ContainerObservation[];
  start: ContainerStart[];
  waiting: Map<string, ContainerStateWaiting>;
  /** Ask again after this time at the latest. */
  wakeInMs?: number;
  /** Nothing will ever be started again: every container ended for good. */
  finished: boolean;
}

export function isSidecar(container: Container): boolean {
  return container.restartPolicy === 'Always';
}

function restartable(policy: string, observed: ContainerObservation | undefined): boolean {
  if (!observed || observed.state === 'created') return true;
  if (observed.state === 'running') return false;
  return policy === 'Always' || (policy === 'OnFailure' && observed.exitCode !== 0);
}

class Planner {
  readonly actions: PodActions = {
    killSandbox: false,
    kill: [],
    remove: [],
    start: [],
    waiting: new Map(),
    finished: false,
  };
  private readonly policy: string;
  private readonly description: string;

  constructor(private readonly input: PlanInput) {
    this.policy = input.pod.spec.restartPolicy ?? 'Always';
    this.description = describePod(identityOf(input.pod));
  }

  plan(): PodActions {
    const { pod, observed } = this.input;
    const sandbox = observed.sandboxes[0];
    const usable = sandbox?.state === 'running' && (pod.spec.hostNetwork === true || sandbox.ip !== '');
    const extra = observed.sandboxes.slice(1).some((other) => other.state === 'running');
    if (!usable || extra) return this.planSandbox();
    this.actions.sandbox = sandbox;
    const others = observed.containers.filter((entry) => entry.sandboxId !== sandbox.id && entry.state === 'running');
    for (const stale of others)
      this.kill(stale, 'SandboxChanged', 'Pod sandbox changed, it will be killed and re-created.');
    for (const entry of observed.containers) if (entry.state === 'created') this.actions.remove.push(entry);
    if (this.planInit(sandbox)) this.planContainers(sandbox);
    return this.actions;
  }

  private planSandbox(): PodActions {
    const { pod, observed } = this.input;
    const anyRan = observed.containers.some((entry) => entry.state === 'exited');
    const wanted = pod.spec.containers.some((container) => restartable(this.policy, this.latest(container.name)));
    if (anyRan && (!wanted || this.policy === 'Never')) {
      this.actions.finished = true;
      return this.actions;
    }
    this.actions.killSandbox = observed.sandboxes.length > 0 || observed.containers.some((c) => c.state === 'running');
    this.actions.createSandbox = { attempt: (observed.sandboxes[0]?.attempt ?? -1) + 1 };
    return this.actions;
  }

  /** True when the regular containers may run. */
  private planInit(sandbox: ContainerObservation): boolean {
    const { pod, observed, probes } = this.input;
    const names = new Set(pod.spec.containers.map((container) => container.name));
    const here = observed.containers.filter((entry) => entry.sandboxId === sandbox.id && entry.state !== 'created');
    const mainStarted = here.some((entry) => names.has(entry.name));
    const mainDone =
      mainStarted &&
      pod.spec.containers.every((c) => {
        const latest = this.latest(c.name);
        return latest?.state === 'exited' && !restartable(this.policy, latest);
      });
    for (const container of pod.spec.initContainers ?? []) {
      const latest = here.find((entry) => entry.name === container.name);
      if (isSidecar(container)) {
        if (mainDone) {
          if (latest?.state === 'running') this.kill(latest, 'Killing', `Stopping container ${container.name}`);
          continue;
        }
        if (latest?.state === 'running') {
          this.checkProbes(container, latest);
          if (!mainStarted && !probes.started(container, latest.id)) return false;
          continue;
        }
        this.startUnlessBackingOff(container, true);
        if (!mainStarted) return false;
        continue;
      }
      if (mainStarted || (latest?.state === 'exited' && latest.exitCode === 0)) continue;
      if (latest?.state === 'running') return false;
      if (latest && this.policy === 'Never') {
        this.actions.finished = true;
        return false;
      }
      this.startUnlessBackingOff(container, true);
      return false;
    }
    if (mainDone) this.actions.finished = true;
    return true;
  }

  private planContainers(sandbox: ContainerObservation): void {
    for (const container of this.input.pod.spec.containers) {
      const latest = this.latest(container.name);
      if (latest?.state === 'running' && latest.sandboxId === sandbox.id) {
        if (latest.hash !== this.input.hashOf(container)) {
          this.kill(latest, 'Killing', `Container ${container.name} definition changed, will be restarted`);
        } else this.checkProbes(container, latest);
      } else if (latest?.state !== 'running' && restartable(this.policy, latest)) {
        this.startUnlessBackingOff(container, false);
      }
    }
  }

  private checkProbes(container: Container, observed: ContainerObservation): void {
    const { probes } = this.input;
    const failed = probes.startupFailed(observed.id)
      ? 'startup'
      : probes.livenessFailed(observed.id)
        ? 'liveness'
        : undefined;
    if (failed) this.kill(observed, 'Killing', `Container ${container.name} failed ${failed} probe, will be restarted`);
  }

  private startUnlessBackingOff(container: Container, init: boolean): void {
    const latest = this.latest(container.name);
    if (latest?.state === 'exited') {
      const { waitMs, delayMs } = this.input.backoff(container.name, latest.finishedAt);
      if (waitMs > 0) {
        this.actions.waiting.set(container.name, {
          reason: 'CrashLoopBackOff',
          message: `back-off ${durationText(delayMs)} restarting failed container=${container.name} pod=${this.description}`,
        });
        this.actions.wakeInMs = Math.min(this.actions.wakeInMs ?? waitMs, waitMs);
        return;
      }
    }
    const before = this.input.observed.containers.find((c) => c.name === container.name && c.state !== 'created');
    const known = this.knownRestarts(container.name);
    const attempt = before ? Math.max(before.attempt, known) + 1 : 0;
    this.actions.start.push({ container, attempt, init, restart: before !== undefined });
  }

  /** The count the API last saw, for when Docker lost the earlier containers. */
  private knownRestarts(name: string): number {
    const { status } = this.input.pod;
    const all = [...(status?.containerStatuses ?? []), ...(status?.initContainerStatuses ?? [])];
    return all.find((entry) => entry.name === name)?.restartCount ?? 0;
  }

  private latest(name: string): ContainerObservation | undefined {
    return this.input.observed.containers.find((entry) => entry.name === name);
  }

  private kill(observed: ContainerObservation, reason: string, message: string): void {
    if (!this.actions.kill.some((entry) => entry.observed.id === observed.id)) {
      this.actions.kill.push({ observed, reason, message });
    }
  }
}

export function computePodActions(input: PlanInput): PodActions {
  return new Planner(input).plan();
}
