// Live Kubernetes lists for views: `useResource(cluster, resources.pods)`.

import { computed, type ComputedRef, type MaybeRefOrGetter, onScopeDispose, shallowRef, toValue, watch } from 'vue';
import type { KubeObject, ResourceName } from '../../src-main/api';
import { failureOf, type Failure, rpc } from '../rpc';
import { FeedPool } from './feed-pool';
import type { FeedState, ResourceFeed } from './resource-feed';

const pool = new FeedPool({
  open: (request, handlers) => {
    const subscription = rpc().kube.watch.subscribe(request, {
      onData: (message) => handlers.onMessage(message),
      onError: (error) => handlers.onEnd(failureOf(error)),
      onStopped: () => handlers.onEnd({ code: 'ENDED', message: 'the stream ended', details: {} }),
      onConnectionStateChange: (state) => {
        if (state.state === 'connecting' && state.error) handlers.onDisconnect(failureOf(state.error));
      },
    });
    return () => subscription.unsubscribe();
  },
});

export interface ResourceView<T> {
  items: ComputedRef<readonly T[]>;
  state: ComputedRef<FeedState>;
  failure: ComputedRef<Failure | undefined>;
}

/**
 * The live list of a resource while the calling scope lives. `T` is what the API server promises for that resource.
 * An empty cluster name means "none": nothing is asked.
 */
export function useResource<T extends KubeObject>(
  cluster: MaybeRefOrGetter<string>,
  resource: ResourceName,
  namespace?: MaybeRefOrGetter<string | undefined>,
): ResourceView<T> {
  const feed = shallowRef<ResourceFeed>();
  let release: (() => void) | undefined;
  watch(
    () => [toValue(cluster), toValue(namespace)] as const,
    ([name, within]) => {
      const last = release;
      const held = name ? pool.acquire({ cluster: name, resource, namespace: within || undefined }) : undefined;
      feed.value = held?.feed;
      release = held?.release;
      last?.();
    },
    { immediate: true },
  );
  onScopeDispose(() => release?.());
  return {
    items: computed(() => (feed.value?.items.value ?? []) as readonly T[]),
    state: computed(() => feed.value?.state.value ?? 'loading'),
    failure: computed(() => feed.value?.failure.value),
  };
}

export type { FeedState };
