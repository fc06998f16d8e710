// Events about objects (core/v1 Event), for people. Recording never fails or delays the caller: writes go one after
// another in the background, what cannot be written is logged and dropped. An event that repeats raises the count of
// the one already written; an object that makes too many is throttled (upstream: 25 at once, then one per 5 minutes).

import { formatTime, resources, type Event, type ObjectReference } from '../api';
import { type Clock, type Logger, messageOf, systemClock } from '../kit';
import { ApiError } from './api-error';
import type { Client } from './client';

export type EventType = 'Normal' | 'Warning';

export interface EventRecorderOptions {
  client: Client;
  /** e.g. replicaset-controller, default-scheduler, kubelet. */
  component: string;
  host?: string;
  logger: Logger;
  clock?: Clock;
}

export interface RecordedEvent {
  type: EventType;
  reason: string;
  message: string;
}

interface Written {
  namespace: string;
  name: string;
  count: number;
  at: number;
}

interface Bucket {
  tokens: number;
  at: number;
}

const burst = 25;
const refillMs = 300_000;
const repeatWindowMs = 600_000;
const remembered = 4096;
const maxQueued = 1000;

export class EventRecorder {
  private readonly clock: Clock;
  private readonly written = new Map<string, Written>();
  private readonly buckets = new Map<string, Bucket>();
  private readonly queue: { about: ObjectReference; event: RecordedEvent; at: number }[] = [];
  private writing: Promise<void> | undefined;
  private serial = 0;

  constructor(private readonly options: EventRecorderOptions) {
    this.clock = options.clock ?? systemClock;
  }

  /** Records that `event` happened to `about` now. */
  record(about: ObjectReference, event: RecordedEvent): void {
    const at = this.clock.now();
    if (!this.takeToken(`${about.kind}/${about.namespace}/${about.name}/${about.uid}`, at)) {
      this.options.logger.debug('event throttled', { kind: about.kind, name: about.name, reason: event.reason });
      return;
    }
    if (this.queue.length >= maxQueued) {
      this.options.logger.warn('event dropped: too many are waiting to be written', { reason: event.reason });
      return;
    }
    this.queue.push({ about, event, at });
    this.writing ??= this.drain();
  }

  /** Resolves when everything recorded so far is written or given up. */
  async flush(): Promise<void> {
    await this.writing;
  }

  private async drain(): Promise<void> {
    for (let next = this.queue.shift(); next; next = this.queue.shift()) {
      try {
        await this.write(next.about, next.event, next.at);
      } catch (error) {
        const { kind, namespace, name } = next.about;
        const object = `${kind}/${namespace ?? ''}/${name}`;
        this.options.logger.warn('event not written', { object, reason: next.event.reason, error: messageOf(error) });
      }
    }
    this.writing = undefined;
  }

  private async write(about: ObjectReference, event: RecordedEvent, at: number): Promise<void> {
    const { kind, namespace, name, uid, fieldPath } = about;
    const key = [kind, namespace, name, uid, fieldPath, event.type, event.reason, event.message].join('\n');
    const earlier = this.written.get(key);
    if (earlier && at - earlier.at < repeatWindowMs && (await this.countUp(earlier, at))) return;
    const made = await this.create(about, event, at);
    this.written.delete(key);
    this.written.set(key, made);
    if (this.written.size > remembered) this.written.delete(this.written.keys().next().value!);
  }

  /** False when the event was deleted meanwhile. */
  private async countUp(earlier: Written, at: number): Promise<boolean> {
    const body = { count: earlier.count + 1, lastTimestamp: formatTime(at) };
    const { namespace, name } = earlier;
    try {
      await this.options.client.patch(resources.events, { namespace, name }, { type: 'merge', body });
    } catch (error) {
      if (ApiError.is(error, 'NotFound')) return false;
      throw error;
    }
    earlier.count++;
    earlier.at = at;
    return true;
  }

  private async create(about: ObjectReference, event: RecordedEvent, at: number): Promise<Written> {
    const { client, component, host } = this.options;
    const namespace = about.namespace ?? 'default';
    // Upstream's form: the object's name and the time in hexadecimal nanoseconds.
    const name = `${about.name}.${(BigInt(at) * 1_000_000n + BigInt(this.serial++ % 1_000_000)).toString(16)}`;
    const time = formatTime(at);
    const object: Event = {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name, namespace },
      involvedObject: about,
      ...event,
      source: { component, ...(host ? { host } : {}) },
      firstTimestamp: time,
      lastTimestamp: time,
      count: 1,
      reportingComponent: component,
      reportingInstance: host ?? '',
    };
    await client.create(resources.events, object, { namespace });
    return { namespace, name, count: 1, at };
  }

  private takeToken(object: string, at: number): boolean {
    const bucket = this.buckets.get(object) ?? { tokens: burst, at };
    const tokens = Math.min(burst, bucket.tokens + (at - bucket.at) / refillMs);
    this.buckets.delete(object);
    this.buckets.set(object, { tokens: tokens >= 1 ? tokens - 1 : tokens, at });
    if (this.buckets.size > remembered) this.buckets.delete(this.buckets.keys().next().value!);
    return tokens >= 1;
  }
}
