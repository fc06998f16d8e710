// Brings the status of each Pod to the API server: the latest one only, one patch under way per Pod, again with backoff
// until it is taken. A Pod that is gone, or was replaced by another of its name, needs no status any more.

import { type Pod, type PodStatus, resources } from '../../../api';
import { ApiError, type Client } from '../../../client';
import { Backoff, type Clock, type Logger, sleep } from '../../../kit';
import { identityOf } from '../runtime/names';
import { sameJson } from './same-json';

export interface StatusReporterOptions {
  client: Client;
  clock: Clock;
  logger: Logger;
  signal: AbortSignal;
}

interface Entry {
  pod: Pod;
  wanted: PodStatus;
  taken?: PodStatus;
  work?: Promise<void>;
  gone: boolean;
}

/** Members a later status may lack; merge patch removes what is null. */
const removable = ['reason', 'message', 'podIP', 'podIPs', 'initContainerStatuses'] as const;

export class StatusReporter {
  private readonly entries = new Map<string, Entry>();
  private readonly backoff = new Backoff<string>({ baseMs: 500, maxMs: 15_000 });

  constructor(private readonly options: StatusReporterOptions) {}

  /** The status last handed over, which may not have reached the API server yet. */
  latest(uid: string): PodStatus | undefined {
    return this.entries.get(uid)?.wanted;
  }

  publish(pod: Pod, status: PodStatus): void {
    const uid = pod.metadata.uid!;
    const entry = this.entries.get(uid) ?? { pod, wanted: status, taken: pod.status, gone: false };
    this.entries.set(uid, entry);
    entry.pod = pod;
    entry.wanted = status;
    entry.work ??= this.deliver(uid, entry).finally(() => {
      entry.work = undefined;
    });
  }

  /** Resolves when the API server has the latest status of the Pod, or needs none. */
  async flush(uid: string): Promise<void> {
    await this.entries.get(uid)?.work;
  }

  forget(uid: string): void {
    const entry = this.entries.get(uid);
    if (entry) entry.gone = true;
    this.entries.delete(uid);
    this.backoff.forget(uid);
  }

  private async deliver(uid: string, entry: Entry): Promise<void> {
    const { client, clock, logger, signal } = this.options;
    while (!entry.gone && !signal.aborted && !sameJson(entry.wanted, entry.taken)) {
      const status = entry.wanted;
      const { name, namespace } = identityOf(entry.pod);
      const nulls = Object.fromEntries(removable.filter((key) => status[key] === undefined).map((key) => [key, null]));
      const body = { metadata: { uid }, status: { ...nulls, ...status } };
      try {
        await client.patch(resources.pods, { namespace, name }, { type: 'merge', subresource: 'status', body });
        entry.taken = status;
        this.backoff.forget(uid);
        logger.debug('pod status reported', { pod: `${namespace}/${name}`, phase: status.phase });
      } catch (error) {
        const known = error instanceof ApiError ? error.statusCode : 0;
        if (known === 404 || known === 409) {
          entry.gone = true;
          return;
        }
        logger.warn('pod status not taken, trying again', { pod: `${namespace}/${name}`, error });
        await sleep(this.backoff.next(uid), { clock, signal }).catch((reason: unknown) => {
          if (!signal.aborted) throw reason;
        });
      }
    }
  }
}
