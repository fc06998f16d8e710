// All Pods of the node: one worker each, fed by the API's watch, Docker's events, a relist for events that were missed,
// and a look for leftovers whose Pod is gone.

import type { Pod } from '../../../api';
import type { Informer } from '../../../client';
import { type Logger, messageOf, sleep } from '../../../kit';
import { type PodIdentity, identityOf } from '../runtime/names';
import { PodWorker } from './pod-worker';
import type { PodWorkerServices } from './pod-worker-services';

export interface PodManagerOptions {
  informer: Informer<Pod>;
  services: Omit<PodWorkerServices, 'finished'>;
  logger: Logger;
}

const relistMs = 20_000;
const housekeepingMs = 60_000;
const maxEventRetryMs = 10_000;

export class PodManager {
  private readonly workers = new Map<string, PodWorker>();
  private readonly services: PodWorkerServices;
  private states = new Map<string, { podUid: string; state: string }>();

  constructor(private readonly options: PodManagerOptions) {
    this.services = { ...options.services, finished: (uid) => this.workers.delete(uid) };
  }

  /** Pods as the API last told, for the server's /pods and for logs. */
  pods(): readonly Pod[] {
    return this.options.informer.lister.list();
  }

  /** Every Pod looks again: the network came up, Services are known, Docker is back. */
  wakeAll(): void {
    for (const worker of this.workers.values()) worker.wake();
  }

  /** Runs until the signal aborts. Containers are left running. */
  async run(signal: AbortSignal): Promise<void> {
    const { informer } = this.options;
    const removeHandler = informer.addHandler({
      add: (pod) => this.take(pod),
      update: (old, pod) => {
        if (old.metadata.uid !== pod.metadata.uid) this.drop(old);
        this.take(pod);
      },
      delete: (pod) => this.drop(pod),
    });
    const loops = [
      this.followEvents(signal),
      this.repeat(signal, relistMs, () => this.relist()),
      this.afterSync(signal, () => this.repeat(signal, housekeepingMs, () => this.findLeftovers())),
    ];
    await Promise.all(loops);
    removeHandler();
    for (const worker of this.workers.values()) worker.stop();
  }

  private take(pod: Pod): void {
    const { uid } = identityOf(pod);
    const present = this.workers.get(uid);
    if (present) return present.update(pod);
    const worker = new PodWorker(this.services, { pod });
    this.workers.set(uid, worker);
    worker.wake();
  }

  private drop(pod: Pod): void {
    const { uid } = identityOf(pod);
    this.workers.get(uid)?.vanish();
  }

  private async afterSync(signal: AbortSignal, next: () => Promise<void>): Promise<void> {
    try {
      await this.options.informer.waitForSync(signal);
    } catch (error) {
      if (signal.aborted) return;
      throw error;
    }
    await next();
  }

  private async repeat(signal: AbortSignal, ms: number, work: () => Promise<void>): Promise<void> {
    while (!signal.aborted) {
      try {
        await work();
      } catch (error) {
        this.options.logger.warn('housekeeping failed, trying again later', { error });
      }
      try {
        await sleep(ms, { signal, clock: this.services.clock });
      } catch (error) {
        this.options.logger.debug('stopped', { reason: messageOf(error) });
      }
    }
  }

  private async followEvents(signal: AbortSignal): Promise<void> {
    let delay = 500;
    while (!signal.aborted) {
      try {
        for await (const event of this.services.runtime.events(signal)) {
          delay = 500;
          this.workers.get(event.podUid)?.wake();
        }
      } catch (error) {
        if (!signal.aborted) this.options.logger.warn('the event stream of Docker broke, opening it again', { error });
      }
      if (signal.aborted) return;
      try {
        await sleep(delay, { signal, clock: this.services.clock });
      } catch (error) {
        this.options.logger.debug('stopped', { reason: messageOf(error) });
      }
      delay = Math.min(delay * 2, maxEventRetryMs);
      this.wakeAll();
    }
  }

  private async relist(): Promise<void> {
    const now = await this.services.runtime.listStates();
    const changed = new Set<string>();
    for (const [id, entry] of now) if (this.states.get(id)?.state !== entry.state) changed.add(entry.podUid);
    for (const [id, entry] of this.states) if (!now.has(id)) changed.add(entry.podUid);
    this.states = now;
    for (const uid of changed) this.workers.get(uid)?.wake();
  }

  /** Containers and directories of Pods that no source knows. Only called once the Pods of the node are known. */
  private async findLeftovers(): Promise<void> {
    const { runtime, directories, mounter } = this.services;
    const known = new Set(this.pods().map((pod) => pod.metadata.uid));
    const found: PodIdentity[] = await runtime.listPods();
    for (const { uid, name, namespace } of found) {
      if (known.has(uid) || this.workers.has(uid)) continue;
      this.options.logger.info('ending the containers of a pod that is gone', { pod: `${namespace}/${name}` });
      const worker = new PodWorker(this.services, { leftover: { uid, name, namespace } });
      this.workers.set(uid, worker);
      worker.wake();
    }
    for (const uid of await directories.uids()) {
      if (known.has(uid) || this.workers.has(uid)) continue;
      await mounter.unmount(uid);
      await directories.remove(uid);
    }
  }
}
