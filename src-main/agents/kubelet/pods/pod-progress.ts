// Brings a Pod's containers step by step to where its plan wants them: looks, plans, reports, does one step, looks again.

import type { Pod } from '../../../api';
import { messageOf } from '../../../kit';
import type { ProbeSet } from '../probes/probe-set';
import { containerName, sandboxContainerName } from '../runtime/names';
import type { ContainerObservation, PodObservation } from '../runtime/runtime';
import { containerHash, sandboxConfig } from './container-config';
import type { DownwardFacts } from './downward';
import type { PodFiles } from './pod-files';
import { type PodActions, computePodActions } from './pod-planner';
import type { PodReport } from './pod-report';
import type { PodTerminator } from './pod-terminator';
import type { PodSubject, PodWorkerServices } from './pod-worker-services';
import { StartAttempts } from './start-attempts';

export interface PodProgressOptions {
  services: PodWorkerServices;
  subject: PodSubject;
  probes: ProbeSet;
  report: PodReport;
  files: PodFiles;
  terminator: PodTerminator;
  /** Aborts what takes long (pulls, hooks) when the Pod is to end. */
  signal: AbortSignal;
  /** The longest rest between two looks, in milliseconds. */
  idleMs: number;
}

const maxSteps = 40;
const networkRetryMs = 2000;

export class PodProgress {
  private readonly attempts: StartAttempts;

  constructor(private readonly options: PodProgressOptions) {
    this.attempts = new StartAttempts(options.services.clock, options.idleMs);
  }

  /** Answers the milliseconds after which to look again. */
  async advance(): Promise<number> {
    const { services, subject, probes, report, files, idleMs } = this.options;
    let wake = idleMs;
    for (let step = 0; step < maxSteps; step += 1) {
      const { pod } = subject;
      if (!pod || subject.vanished || pod.metadata.deletionTimestamp) return 0;
      const observed = await services.runtime.observePod(subject.identity);
      const sandbox = observed.sandboxes[0];
      probes.follow(pod, observed, this.podIP(sandbox));
      const actions = this.plan(pod, observed);
      await report.publish(observed, new Map([...this.attempts.waiting, ...actions.waiting]));
      wake = Math.min(idleMs, actions.wakeInMs ?? idleMs, this.attempts.nextInMs());
      const again = await this.apply(pod, observed, actions);
      if (!again) break;
    }
    const podIP = subject.pod ? (report.current().status?.podIP ?? '') : '';
    await files.refresh({ ...this.facts(undefined), podIP, podIPs: [podIP] });
    return Math.min(wake, this.attempts.nextInMs());
  }

  private plan(pod: Pod, observed: PodObservation): PodActions {
    return computePodActions({
      pod: { ...pod, status: this.options.report.current().status },
      observed,
      probes: this.options.probes,
      hashOf: containerHash,
      backoff: (name, since) => this.attempts.backoff(name, since),
    });
  }

  /** True when the picture changed and a new plan is due. */
  private async apply(pod: Pod, observed: PodObservation, actions: PodActions): Promise<boolean> {
    const { services, terminator, signal } = this.options;
    const { runtime, tell } = services;
    const graceMs = (pod.spec.terminationGracePeriodSeconds ?? 30) * 1000;
    if (actions.killSandbox) {
      if (observed.sandboxes.length > 0) {
        const message = 'Pod sandbox changed, it will be killed and re-created.';
        tell(pod, { type: 'Normal', reason: 'SandboxChanged', message });
      }
      await terminator.stopPod(pod, observed, graceMs);
      for (const sandbox of observed.sandboxes) await runtime.remove(sandbox.id);
    }
    if (actions.createSandbox) return this.createSandbox(pod, actions.createSandbox.attempt);
    for (const leftover of actions.remove) await runtime.remove(leftover.id);
    await Promise.all(
      actions.kill.map(({ observed: target, message, reason }) =>
        terminator.stopContainer(pod, target, { graceMs, message, reason }),
      ),
    );
    if (actions.kill.length + actions.remove.length > 0) return true;
    if (!actions.sandbox) return false;
    let started = false;
    for (const start of actions.start) {
      if (this.attempts.mustWait(start.container.name)) continue;
      if (await this.startContainer(pod, start, actions.sandbox)) started = true;
      if (signal.aborted) return false;
    }
    if (started) await this.collectGarbage();
    return started;
  }

  private async startContainer(pod: Pod, start: PodActions['start'][number], sandbox: ContainerObservation) {
    const { services, subject, files, report, signal } = this.options;
    const { name } = start.container;
    if (start.restart) this.attempts.countRestart(name);
    const facts = this.facts(sandbox);
    const volumes = await files.mount(pod, facts);
    const sources = files.sourcesOf(pod);
    const failure = await services.starter.start({ pod, start, sandbox, volumes, sources, facts, signal });
    if (!failure) {
      this.attempts.succeeded(name);
      return true;
    }
    if (this.attempts.failed(name, failure)) return true;
    await report.publish(await services.runtime.observePod(subject.identity), this.attempts.waiting);
    return false;
  }

  /** False while the Pod network is not there yet. */
  private async createSandbox(pod: Pod, attempt: number): Promise<boolean> {
    const { services, subject, files } = this.options;
    const { node, runtime, tell } = services;
    const network = pod.spec.hostNetwork ? 'host' : node.podNetwork();
    if (network === undefined) {
      const message = 'network is not ready: container runtime network not ready: the node has no Pod network yet';
      tell(pod, { type: 'Warning', reason: 'NetworkNotReady', message });
      this.attempts.postpone(sandboxContainerName, networkRetryMs);
      return false;
    }
    this.attempts.clear(sandboxContainerName);
    await files.prepare();
    await files.mount(pod, this.facts(undefined));
    const image = await node.pauseImage();
    const name = containerName(subject.identity, sandboxContainerName, attempt);
    try {
      await runtime.start(
        await runtime.create(name, sandboxConfig({ pod, attempt, image, network, oomScoreFloor: node.oomScoreFloor })),
      );
    } catch (error) {
      const message = `Failed to create pod sandbox: ${messageOf(error)}`;
      tell(pod, { type: 'Warning', reason: 'FailedCreatePodSandBox', message });
      throw error;
    }
    if (!pod.spec.hostNetwork) await node.sandboxAttached();
    this.attempts.forgetFailures();
    return true;
  }

  /** Keeps the newest ended container of each name, for `logs --previous`. */
  private async collectGarbage(): Promise<void> {
    const { services, subject } = this.options;
    const { runtime } = services;
    const seen = new Set<string>();
    for (const entry of (await runtime.observePod(subject.identity)).containers) {
      if (entry.state !== 'exited') continue;
      if (seen.has(entry.name)) await runtime.remove(entry.id);
      seen.add(entry.name);
    }
  }

  private podIP(sandbox: ContainerObservation | undefined): string {
    const { services, subject } = this.options;
    if (subject.pod?.spec.hostNetwork) return services.node.ip;
    return sandbox?.ip ?? '';
  }

  private facts(sandbox: ContainerObservation | undefined): DownwardFacts {
    const { node } = this.options.services;
    const podIP = sandbox ? this.podIP(sandbox) : '';
    const podIPs = podIP ? [podIP] : [];
    return { podIP, podIPs, hostIP: node.ip, nodeName: node.name, allocatable: node.allocatable };
  }
}
