// Brings the status of each Pod to the API server: the latest one only, one patch under way per Pod, again with backoff
// until it is taken. A Pod that is gone, or was replaced by another of its name, needs no status any more.

import { type Pod, type PodStatus, resources } from '../../../api';
import { ApiError, type Client } from '../../../client';
import { Backoff, type Clock, type Logger, sleep } from '../../../kit';
import { apiRetryMaxMs } from '../../process/api-retry';
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
  /** What the API server holds, as far as we know, and in which version of the Pod we saw it. */
  taken?: PodStatus;
  takenVersion: number;
  work?: Promise<void>;
  gone: boolean;
}

/** Members a later status may lack; merge patch removes what is null. */
const removable: readonly (keyof PodStatus)[] = ['reason', 'message', 'podIP', 'podIPs', 'initContainerStatuses'];

const versionOf = (pod: Pod) => Number(pod.metadata.resourceVersion ?? 0);

/** Whether the API server lacks something of what we want it to hold; members only others write do not count. */
function differs(wanted: PodStatus, taken: PodStatus | undefined): boolean {
  const members = new Set([...(Object.keys(wanted) as (keyof PodStatus)[]), ...removable]);
  return [...members].some((member) => !sameJson(wanted[member], taken?.[member]));
}

export class StatusReporter {
  private readonly entries = new Map<string, Entry>();
  private readonly backoff = new Backoff<string>({ baseMs: 500, maxMs: apiRetryMaxMs });

  constructor(private readonly options: StatusReporterOptions) {}

  /** The status last handed over, which may not have reached the API server yet. */
  latest(uid: string): PodStatus | undefined {
    return this.entries.get(uid)?.wanted;
  }

  /**
   * Sees to it that the API server holds `status`. It is compared with what the Pod says now, not only with what we said
   * last: others write there too, as the node controller does with the Ready condition when a node goes silent.
   */
  publish(pod: Pod, status: PodStatus): void {
    const uid = pod.metadata.uid!;
    const entry = this.entries.get(uid) ?? { pod, wanted: status, takenVersion: -1, gone: false };
    this.entries.set(uid, entry);
    entry.pod = pod;
    entry.wanted = status;
    if (versionOf(pod) > entry.takenVersion) {
      entry.taken = pod.status;
      entry.takenVersion = versionOf(pod);
    }
    if (!differs(status, entry.taken)) return;
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
    while (!entry.gone && !signal.aborted && differs(entry.wanted, entry.taken)) {
      const status = entry.wanted;
      const { name, namespace } = identityOf(entry.pod);
      const nulls = Object.fromEntries(removable.filter((key) => status[key] === undefined).map((key) => [key, null]));
      const body = { metadata: { uid }, status: { ...nulls, ...status } };
      try {
        const patch = { type: 'merge', subresource: 'status', body } as const;
        const answer = await client.patch<Pod>(resources.pods, { namespace, name }, patch);
        entry.taken = status;
        entry.takenVersion = versionOf(answer);
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
