// All clusters of this computer, live, and what can be done to them.

import { defineStore } from 'pinia';
import { computed, shallowRef } from 'vue';
import type { ClusterView, CreateClusterRequest } from '../../src-main/contract';
import { type Failure, failureOf, rpc } from '../rpc';

const retryMs = 2000;

export const useClusters = defineStore('clusters', () => {
  const list = shallowRef<readonly ClusterView[]>([]);
  const loaded = shallowRef(false);
  const failure = shallowRef<Failure>();
  let started = false;

  function open(): void {
    const again = (reason?: Failure) => {
      failure.value = reason;
      setTimeout(open, retryMs);
    };
    rpc().clusters.watch.subscribe(undefined, {
      onData: (clusters) => {
        list.value = clusters;
        loaded.value = true;
        failure.value = undefined;
      },
      onError: (error) => again(failureOf(error)),
      onStopped: () => again(),
    });
  }

  /** Begins watching; later calls do nothing. */
  function start(): void {
    if (started) return;
    started = true;
    open();
  }

  const byName = computed(() => new Map(list.value.map((cluster) => [cluster.name, cluster])));

  /** Puts what the host just answered in place at once, before the watch brings it. */
  function take(cluster: ClusterView): void {
    list.value = [...list.value.filter((item) => item.name !== cluster.name), cluster];
  }

  return {
    list,
    loaded,
    failure,
    byName,
    start,
    create: async (request: CreateClusterRequest) => take(await rpc().clusters.create.mutate(request)),
    resume: async (name: string) => take(await rpc().clusters.start.mutate({ name })),
    stop: (name: string) => rpc().clusters.stop.mutate({ name }),
    remove: (name: string) => rpc().clusters.delete.mutate({ name }),
    kubeconfig: (name: string) => rpc().clusters.kubeconfig.query({ name }),
  };
});
