// The live copy of one list (cluster + resource + namespace). Objects are keyed by uid and never made deeply reactive;
// changes are gathered and published at most once per frame, whatever the rate of events.

import { shallowRef } from 'vue';
import type { KubeObject } from '../../src-main/api';
import type { WatchMessage } from '../../src-main/contract';
import type { Failure } from '../rpc';

/** `stale`: shown as it last was, the API server cannot be reached; `failed`: there is nothing to show. */
export type FeedState = 'loading' | 'live' | 'stale' | 'failed';

/** Runs `publish` soon, once. */
export type Scheduler = (publish: () => void) => void;

export const everyFrame: Scheduler = (publish) => {
  // A hidden page gets no frames, yet must not pile up changes.
  if (document.hidden) setTimeout(publish, 500);
  else requestAnimationFrame(publish);
};

function keyOf(object: KubeObject): string {
  const { uid, namespace, name } = object.metadata;
  return uid ?? `${namespace ?? ''}/${name ?? ''}`;
}

export class ResourceFeed {
  readonly items = shallowRef<readonly KubeObject[]>([]);
  readonly state = shallowRef<FeedState>('loading');
  readonly failure = shallowRef<Failure | undefined>();
  /** Where to resume after an interruption; undefined = with a new snapshot. */
  resourceVersion: string | undefined;

  private objects = new Map<string, KubeObject>();
  private scheduled = false;

  constructor(private readonly schedule: Scheduler = everyFrame) {}

  receive(message: WatchMessage): void {
    if (message.type === 'stale') {
      this.interrupted({ code: 'STALE', message: message.reason, details: {} });
      return;
    }
    if (message.type === 'snapshot') {
      this.objects = new Map(message.list.items.map((object) => [keyOf(object), object]));
      this.resourceVersion = message.list.metadata.resourceVersion;
    } else {
      for (const { type, object } of message.events) {
        if (type === 'DELETED') this.objects.delete(keyOf(object));
        else if (type === 'ADDED' || type === 'MODIFIED') this.objects.set(keyOf(object), object);
      }
      this.resourceVersion = message.resourceVersion;
    }
    this.publishSoon();
  }

  /** The stream broke: what is shown stays and is marked, or its absence is explained. */
  interrupted(failure: Failure): void {
    this.failure.value = failure;
    this.state.value = this.state.value === 'loading' || this.state.value === 'failed' ? 'failed' : 'stale';
  }

  private publishSoon(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    this.schedule(() => {
      this.scheduled = false;
      this.items.value = [...this.objects.values()];
      this.failure.value = undefined;
      this.state.value = 'live';
    });
  }
}
