// One Pod's life on the node. Level-triggered and strictly serial for the Pod: every wake-up looks at what is, plans,
// does, and reports; Pods never wait for each other. Nothing but Docker's labels is remembered across a restart.

import { mkdir } from 'node:fs/promises';
import type { ContainerStateWaiting, Pod, PodStatus } from '../../../api';
import { Backoff, type Clock, type Logger, messageOf } from '../../../kit';
import type { ImagePuller } from '../images/image-puller';
import { ProbeSet } from '../probes/probe-set';
import type { Prober } from '../probes/prober';
import { type PodIdentity, containerName, describePod, identityOf, sandboxContainerName } from '../runtime/names';
import type { ContainerObservation, ContainerRuntime, PodObservation } from '../runtime/runtime';
import type { VolumeMounter, VolumePaths } from '../volumes/volume-mounter';
import type { ApiSources } from './api-sources';
import { containerHash, podHostname, sandboxConfig } from './container-config';
import type { ContainerStarter } from './container-starter';
import type { DownwardFacts } from './downward';
import type { NodeContext } from './node-context';
import { type PodDirectories, hostsText, resolvConfText, writeIfDifferent } from './pod-directory';
import type { TellPodEvent } from './pod-events';
import { type PodActions, computePodActions } from './pod-planner';
import { computePodStatus } from './pod-status';
import { PodTerminator } from './pod-terminator';
import { RestartBackoff } from './restart-backoff';
import type { StatusReporter } from './status-reporter';
import type { TerminationMessages } from './termination-messages';

export interface PodWorkerServices {
  runtime: ContainerRuntime;
  puller: ImagePuller;
  starter: ContainerStarter;
  prober: Prober;
  mounter: VolumeMounter;
  directories: PodDirectories;
  statuses: StatusReporter;
  messages: TerminationMessages;
  node: NodeContext;
  clock: Clock;
  logger: Logger;
  tell: TellPodEvent;
  sourcesOf(pod: Pod): ApiSources;
  /** Deletes the object with grace period 0; a Pod that is gone or replaced is no error. */
  deletePod(identity: PodIdentity): Promise<void>;
  /** Milliseconds between refreshes of mounted ConfigMaps and Secrets. */
  refreshMs: number;
  /** The worker has nothing left to do, ever. */
  finished(uid: string): void;
}

const maxSteps = 40;
const vanishedGraceMs = 2000;
const idleWakeMs = 60_000;

export class PodWorker {
  private pod: Pod | undefined;
  private readonly identity: PodIdentity;
  private vanished = false;
  private deleted = false;
  private running = false;
  private again = false;
  private stopped = false;
  /** After a failure: what Docker reports until then must not make it try again in a tight loop. */
  private notBefore = 0;
  private cancelTimer = () => {};
  private readonly abort = new AbortController();
  private readonly backoff = new Backoff<'sync'>({ baseMs: 1000, maxMs: 30_000 });
  private readonly restarts = new RestartBackoff();
  private readonly failures = new Map<string, ContainerStateWaiting>();
  private readonly retryAt = new Map<string, number>();
  private readonly imageIds = new Map<string, string>();
  private readonly probes: ProbeSet;
  private readonly terminator: PodTerminator;
  private readonly logger: Logger;
  private volumes: VolumePaths | undefined;
  private volumesAt = 0;
  private sources: ApiSources | undefined;
  private verdict: { phase: string; reason: string; message: string } | undefined;

  constructor(
    private readonly services: PodWorkerServices,
    start: { pod: Pod } | { leftover: PodIdentity },
  ) {
    const { prober, clock, tell, runtime } = services;
    this.pod = 'pod' in start ? start.pod : undefined;
    this.vanished = !('pod' in start);
    this.identity = 'pod' in start ? identityOf(start.pod) : start.leftover;
    this.logger = services.logger.child({ pod: `${this.identity.namespace}/${this.identity.name}` });
    this.probes = new ProbeSet({ prober, clock, logger: this.logger, tell, onChange: () => this.wake() });
    this.terminator = new PodTerminator({ runtime, prober, clock, logger: this.logger, tell });
  }

  update(pod: Pod): void {
    const changed = pod.metadata.generation !== this.pod?.metadata.generation;
    if (changed || pod.metadata.deletionTimestamp) this.notBefore = 0;
    this.pod = pod;
    const grace = pod.metadata.deletionTimestamp ? pod.metadata.deletionGracePeriodSeconds : undefined;
    if (grace !== undefined) {
      this.abort.abort();
      this.terminator.hasten(grace * 1000);
    }
    this.wake();
  }

  /** The object is gone from the API: end what runs, at once. */
  vanish(): void {
    this.vanished = true;
    this.notBefore = 0;
    this.abort.abort();
    this.services.statuses.forget(this.identity.uid);
    this.terminator.hasten(vanishedGraceMs);
    this.wake();
  }

  /** Looks again soon; a wake-up during a sync makes another sync follow. */
  wake(): void {
    this.again = true;
    if (this.running || this.stopped) return;
    this.cancelTimer();
    const waitMs = Math.max(0, this.notBefore - this.services.clock.now());
    this.cancelTimer = this.services.clock.after(waitMs, () => void this.run());
  }

  /** Ends the worker, not the containers: the kubelet is going down. */
  stop(): void {
    this.stopped = true;
    this.cancelTimer();
    this.abort.abort();
    this.probes.stop();
  }

  private async run(): Promise<void> {
    this.running = true;
    let wakeInMs = idleWakeMs;
    while (this.again && !this.stopped && this.notBefore <= this.services.clock.now()) {
      this.again = false;
      try {
        wakeInMs = await this.sync();
        this.backoff.forget('sync');
        this.notBefore = 0;
      } catch (error) {
        wakeInMs = this.backoff.next('sync');
        this.notBefore = this.services.clock.now() + wakeInMs;
        this.logger.warn('pod sync failed, trying again', { error, inMs: wakeInMs });
      }
    }
    this.running = false;
    if (!this.stopped) this.cancelTimer = this.services.clock.after(Math.max(wakeInMs, 10), () => this.wake());
  }

  private async sync(): Promise<number> {
    const { runtime } = this.services;
    const { pod } = this;
    if (this.vanished || !pod) {
      await this.end(pod, vanishedGraceMs);
      this.stopped = true;
      this.services.finished(this.identity.uid);
      return idleWakeMs;
    }
    if (pod.metadata.deletionTimestamp) {
      await this.terminate(pod);
      return idleWakeMs;
    }
    const observed = await runtime.observePod(this.identity);
    const phase = this.current().status?.phase;
    this.checkDeadline(pod);
    if (this.verdict || phase === 'Succeeded' || phase === 'Failed') return this.settle(pod, observed);
    return this.advance();
  }

  /** A Pod that reached its end keeps its containers for their logs, but nothing runs. */
  private async settle(pod: Pod, observed: PodObservation): Promise<number> {
    const graceMs = (pod.spec.terminationGracePeriodSeconds ?? 30) * 1000;
    await this.terminator.stopPod(pod, observed, graceMs);
    this.probes.stop();
    await this.report(await this.services.runtime.observePod(this.identity), new Map());
    return idleWakeMs;
  }

  private checkDeadline(pod: Pod): void {
    const seconds = pod.spec.activeDeadlineSeconds;
    const started = this.current().status?.startTime;
    if (seconds === undefined || !started) return;
    if (this.services.clock.now() - Date.parse(started) < seconds * 1000) return;
    const message = 'Pod was active on the node longer than the specified deadline';
    if (!this.verdict) this.services.tell(pod, { type: 'Normal', reason: 'DeadlineExceeded', message });
    this.verdict = { phase: 'Failed', reason: 'DeadlineExceeded', message };
  }

  private async advance(): Promise<number> {
    let wake = idleWakeMs;
    for (let step = 0; step < maxSteps; step += 1) {
      const { pod } = this;
      if (!pod || this.vanished || pod.metadata.deletionTimestamp) return 0;
      const observed = await this.services.runtime.observePod(this.identity);
      const sandbox = observed.sandboxes[0];
      this.probes.follow(pod, observed, this.podIP(sandbox));
      const actions = this.plan(pod, observed);
      await this.report(observed, new Map([...this.failures, ...actions.waiting]));
      wake = Math.min(idleWakeMs, actions.wakeInMs ?? idleWakeMs, this.nextRetry());
      const again = await this.apply(pod, observed, actions);
      if (!again) break;
    }
    await this.refreshVolumes();
    return Math.min(wake, this.nextRetry());
  }

  private nextRetry(): number {
    const now = this.services.clock.now();
    return Math.min(idleWakeMs, ...[...this.retryAt.values()].map((at) => Math.max(0, at - now)));
  }

  private plan(pod: Pod, observed: PodObservation): PodActions {
    const now = this.services.clock.now();
    return computePodActions({
      pod: { ...pod, status: this.current().status },
      observed,
      probes: this.probes,
      hashOf: containerHash,
      backoff: (name, since) => this.restarts.remaining(name, { since, now }),
    });
  }

  /** True when the picture changed and a new plan is due. */
  private async apply(pod: Pod, observed: PodObservation, actions: PodActions): Promise<boolean> {
    const { runtime } = this.services;
    const graceMs = (pod.spec.terminationGracePeriodSeconds ?? 30) * 1000;
    if (actions.killSandbox) {
      if (observed.sandboxes.length > 0) {
        const message = 'Pod sandbox changed, it will be killed and re-created.';
        this.services.tell(pod, { type: 'Normal', reason: 'SandboxChanged', message });
      }
      await this.terminator.stopPod(pod, observed, graceMs);
      for (const sandbox of observed.sandboxes) await runtime.remove(sandbox.id);
    }
    if (actions.createSandbox) return this.createSandbox(pod, actions.createSandbox.attempt);
    for (const leftover of actions.remove) await runtime.remove(leftover.id);
    await Promise.all(
      actions.kill.map(({ observed: target, message, reason }) =>
        this.terminator.stopContainer(pod, target, { graceMs, message, reason }),
      ),
    );
    if (actions.kill.length + actions.remove.length > 0) return true;
    if (!actions.sandbox) return false;
    let started = false;
    for (const start of actions.start) {
      const now = this.services.clock.now();
      if ((this.retryAt.get(start.container.name) ?? 0) > now) continue;
      if (await this.startContainer(pod, start, actions.sandbox)) started = true;
      if (this.abort.signal.aborted) return false;
    }
    if (started) await this.collectGarbage();
    return started;
  }

  private async startContainer(pod: Pod, start: PodActions['start'][number], sandbox: ContainerObservation) {
    const { clock, starter } = this.services;
    const { name } = start.container;
    if (start.restart) this.restarts.next(name, clock.now());
    const facts = this.facts(sandbox);
    const volumes = await this.mountVolumes(pod, facts);
    const signal = this.abort.signal;
    const failure = await starter.start({ pod, start, sandbox, volumes, sources: this.sourcesOf(pod), facts, signal });
    if (!failure) {
      this.failures.delete(name);
      this.retryAt.delete(name);
      return true;
    }
    this.failures.set(name, failure.waiting);
    if (failure.retryInMs === 0) {
      // The attempt left a container behind: the plan's restart backoff decides.
      this.retryAt.delete(name);
      return true;
    }
    this.retryAt.set(name, clock.now() + (failure.retryInMs ?? idleWakeMs));
    const observed = await this.services.runtime.observePod(this.identity);
    await this.report(observed, this.failures);
    return false;
  }

  /** False while the Pod network is not there yet. */
  private async createSandbox(pod: Pod, attempt: number): Promise<boolean> {
    const { node, runtime, directories, tell } = this.services;
    const network = pod.spec.hostNetwork ? 'host' : node.podNetwork();
    if (network === undefined) {
      const message = 'network is not ready: container runtime network not ready: the node has no Pod network yet';
      tell(pod, { type: 'Warning', reason: 'NetworkNotReady', message });
      this.retryAt.set(sandboxContainerName, this.services.clock.now() + 2000);
      return false;
    }
    this.retryAt.delete(sandboxContainerName);
    await mkdir(directories.of(this.identity.uid), { recursive: true, mode: 0o750 });
    await this.mountVolumes(pod, this.facts(undefined));
    const image = await node.pauseImage();
    const name = containerName(this.identity, sandboxContainerName, attempt);
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
    this.failures.clear();
    return true;
  }

  private sourcesOf(pod: Pod): ApiSources {
    this.sources ??= this.services.sourcesOf(pod);
    return this.sources;
  }

  private async mountVolumes(pod: Pod, facts: DownwardFacts): Promise<VolumePaths> {
    const { mounter, tell, clock } = this.services;
    if (this.volumes && facts.podIP === '') return this.volumes;
    await this.writeNetworkFiles(pod, facts);
    if (this.volumes) return this.volumes;
    try {
      this.volumes = await mounter.mount({ pod, facts, reader: this.sourcesOf(pod) });
      this.volumesAt = clock.now();
      return this.volumes;
    } catch (error) {
      tell(pod, { type: 'Warning', reason: 'FailedMount', message: messageOf(error) });
      throw error;
    }
  }

  private async writeNetworkFiles(pod: Pod, facts: DownwardFacts): Promise<void> {
    const { directories, node } = this.services;
    if (facts.podIP === '') return;
    const { uid, namespace } = this.identity;
    const hostname = pod.spec.hostNetwork ? node.name : podHostname(pod);
    const { subdomain } = pod.spec;
    const fqdn = subdomain ? `${hostname}.${subdomain}.${namespace}.svc.${node.clusterDomain}` : undefined;
    const hosts = hostsText({ ip: facts.podIP, hostname, fqdn, aliases: pod.spec.hostAliases });
    await mkdir(directories.of(uid), { recursive: true, mode: 0o750 });
    await writeIfDifferent(directories.hostsFile(uid), hosts);
    const { clusterDNS, clusterDomain } = node;
    const resolv = resolvConfText({ pod, clusterDNS, clusterDomain, node: await node.resolvConf() });
    await writeIfDifferent(directories.resolvConf(uid), resolv);
  }

  private async refreshVolumes(): Promise<void> {
    const { clock, mounter, refreshMs } = this.services;
    if (!this.pod || clock.now() - this.volumesAt < refreshMs) return;
    this.volumesAt = clock.now();
    const podIP = this.current().status?.podIP ?? '';
    await mounter.refresh({
      pod: this.pod,
      facts: { ...this.facts(undefined), podIP, podIPs: [podIP] },
      reader: this.sourcesOf(this.pod),
    });
  }

  /** Keeps the newest ended container of each name, for `logs --previous`. */
  private async collectGarbage(): Promise<void> {
    const { runtime } = this.services;
    const seen = new Set<string>();
    for (const entry of (await runtime.observePod(this.identity)).containers) {
      if (entry.state !== 'exited') continue;
      if (seen.has(entry.name)) await runtime.remove(entry.id);
      seen.add(entry.name);
    }
  }

  private podIP(sandbox: ContainerObservation | undefined): string {
    if (this.pod?.spec.hostNetwork) return this.services.node.ip;
    return sandbox?.ip ?? '';
  }

  private facts(sandbox: ContainerObservation | undefined): DownwardFacts {
    const { node } = this.services;
    const podIP = sandbox ? this.podIP(sandbox) : '';
    const podIPs = podIP ? [podIP] : [];
    return { podIP, podIPs, hostIP: node.ip, nodeName: node.name, allocatable: node.allocatable };
  }

  /** The Pod with the newest status: ours if it was not taken yet, with foreign conditions as the API has them. */
  private current(): Pod {
    const pod = this.pod!;
    const own = this.services.statuses.latest(this.identity.uid);
    if (!own) return pod;
    const mine = new Set((own.conditions ?? []).map((condition) => condition.type));
    const foreign = (pod.status?.conditions ?? []).filter((condition) => !mine.has(condition.type));
    return { ...pod, status: { ...own, conditions: [...(own.conditions ?? []), ...foreign] } };
  }

  private async report(observed: PodObservation, waiting: Map<string, ContainerStateWaiting>): Promise<PodStatus> {
    const { messages, statuses, node, clock } = this.services;
    await messages.read(observed);
    for (const { image } of observed.containers) await this.learnImage(image);
    const current = this.current();
    const status = computePodStatus({
      pod: current,
      observed,
      waiting,
      isReady: (container, id) => this.probes.ready(container, id),
      isStarted: (container, id) => this.probes.started(container, id),
      terminationMessage: (id) => messages.get(id),
      imageIdOf: (entry) => this.imageIds.get(entry.image) ?? entry.imageId,
      hostIP: node.ip,
      now: clock.now(),
      verdict: this.verdict,
    });
    if (!this.vanished) statuses.publish(this.pod!, status);
    const over = status.phase === 'Succeeded' || status.phase === 'Failed';
    if (over && current.status?.phase !== status.phase) this.again = true;
    return status;
  }

  private async learnImage(image: string): Promise<void> {
    if (this.imageIds.has(image)) return;
    const found = await this.services.runtime.image(image);
    if (found) this.imageIds.set(image, found.imageId);
  }

  private async terminate(pod: Pod): Promise<void> {
    if (this.deleted) return;
    const seconds = pod.metadata.deletionGracePeriodSeconds ?? pod.spec.terminationGracePeriodSeconds ?? 30;
    await this.terminator.stopPod(pod, await this.services.runtime.observePod(this.identity), seconds * 1000);
    this.probes.stop();
    await this.report(await this.services.runtime.observePod(this.identity), new Map());
    await this.services.statuses.flush(this.identity.uid);
    await this.end(pod, 0);
    await this.services.deletePod(this.identity);
    this.deleted = true;
  }

  /** Stops and removes everything of the Pod on this node. */
  private async end(pod: Pod | undefined, graceMs: number): Promise<void> {
    const { runtime, directories, mounter, statuses, puller } = this.services;
    this.probes.stop();
    const observed = await runtime.observePod(this.identity);
    await this.terminator.stopPod(pod, observed, graceMs);
    for (const entry of [...observed.containers, ...observed.sandboxes]) await runtime.remove(entry.id);
    await mounter.unmount(this.identity.uid);
    await directories.remove(this.identity.uid);
    this.volumes = undefined;
    puller.forget(this.identity.uid);
    if (this.vanished) statuses.forget(this.identity.uid);
    this.logger.info('pod ended', { pod: describePod(this.identity) });
  }
}
