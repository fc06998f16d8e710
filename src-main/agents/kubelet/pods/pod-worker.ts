// One Pod's life on the node. Level-triggered and strictly serial for the Pod: every wake-up looks at what is, plans,
// does, and reports; Pods never wait for each other. Nothing but Docker's labels is remembered across a restart.

import type { Pod } from '../../../api';
import { Backoff, type Logger } from '../../../kit';
import { ProbeSet } from '../probes/probe-set';
import { type PodIdentity, describePod, identityOf } from '../runtime/names';
import type { PodObservation } from '../runtime/runtime';
import { PodFiles } from './pod-files';
import { PodProgress } from './pod-progress';
import { PodReport } from './pod-report';
import { PodTerminator } from './pod-terminator';
import type { PodSubject, PodWorkerServices } from './pod-worker-services';

const vanishedGraceMs = 2000;
const idleWakeMs = 60_000;

export class PodWorker implements PodSubject {
  pod: Pod | undefined;
  readonly identity: PodIdentity;
  vanished = false;
  private deleted = false;
  private running = false;
  private again = false;
  private stopped = false;
  /** After a failure: what Docker reports until then must not make it try again in a tight loop. */
  private notBefore = 0;
  private cancelTimer = () => {};
  private readonly abort = new AbortController();
  private readonly backoff = new Backoff<'sync'>({ baseMs: 1000, maxMs: 30_000 });
  private readonly probes: ProbeSet;
  private readonly terminator: PodTerminator;
  private readonly logger: Logger;
  private readonly report: PodReport;
  private readonly files: PodFiles;
  private readonly progress: PodProgress;

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
    this.files = new PodFiles(services, this);
    const { probes, files, terminator } = this;
    const onEnd = () => {
      this.again = true;
    };
    const report = new PodReport({ services, subject: this, probes, onEnd });
    this.report = report;
    const { signal } = this.abort;
    const parts = { services, subject: this, probes, report, files, terminator };
    this.progress = new PodProgress({ ...parts, signal, idleMs: idleWakeMs });
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
    const phase = this.report.current().status?.phase;
    this.checkDeadline(pod);
    if (this.report.verdict || phase === 'Succeeded' || phase === 'Failed') return this.settle(pod, observed);
    return this.progress.advance();
  }

  /** A Pod that reached its end keeps its containers for their logs, but nothing runs. */
  private async settle(pod: Pod, observed: PodObservation): Promise<number> {
    const graceMs = (pod.spec.terminationGracePeriodSeconds ?? 30) * 1000;
    await this.terminator.stopPod(pod, observed, graceMs);
    this.probes.stop();
    await this.report.publish(await this.services.runtime.observePod(this.identity), new Map());
    return idleWakeMs;
  }

  private checkDeadline(pod: Pod): void {
    const seconds = pod.spec.activeDeadlineSeconds;
    const started = this.report.current().status?.startTime;
    if (seconds === undefined || !started) return;
    if (this.services.clock.now() - Date.parse(started) < seconds * 1000) return;
    const message = 'Pod was active on the node longer than the specified deadline';
    if (!this.report.verdict) this.services.tell(pod, { type: 'Normal', reason: 'DeadlineExceeded', message });
    this.report.verdict = { phase: 'Failed', reason: 'DeadlineExceeded', message };
  }

  private async terminate(pod: Pod): Promise<void> {
    if (this.deleted) return;
    const seconds = pod.metadata.deletionGracePeriodSeconds ?? pod.spec.terminationGracePeriodSeconds ?? 30;
    await this.terminator.stopPod(pod, await this.services.runtime.observePod(this.identity), seconds * 1000);
    this.probes.stop();
    await this.report.publish(await this.services.runtime.observePod(this.identity), new Map());
    await this.services.statuses.flush(this.identity.uid);
    await this.end(pod, 0);
    await this.services.deletePod(this.identity);
    this.deleted = true;
  }

  /** Stops and removes everything of the Pod on this node. */
  private async end(pod: Pod | undefined, graceMs: number): Promise<void> {
    const { runtime, statuses, puller } = this.services;
    this.probes.stop();
    const observed = await runtime.observePod(this.identity);
    await this.terminator.stopPod(pod, observed, graceMs);
    for (const entry of [...observed.containers, ...observed.sandboxes]) await runtime.remove(entry.id);
    await this.files.remove();
    puller.forget(this.identity.uid);
    if (this.vanished) statuses.forget(this.identity.uid);
    this.logger.info('pod ended', { pod: describePod(this.identity) });
  }
}
