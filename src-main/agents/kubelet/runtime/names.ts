// How the kubelet finds its own containers again in Docker: names and labels as upstream's Docker runtime wrote them, so
// that `docker ps` on a node reads as people expect. The labels are the only state; nothing else survives a restart.

import type { Pod } from '../../../api';

export const labels = {
  podName: 'io.kubernetes.pod.name',
  podNamespace: 'io.kubernetes.pod.namespace',
  podUid: 'io.kubernetes.pod.uid',
  containerName: 'io.kubernetes.container.name',
  type: 'io.kubernetes.docker.type',
  sandboxId: 'io.kubernetes.sandbox.id',
  hash: 'annotation.io.kubernetes.container.hash',
  attempt: 'annotation.io.kubernetes.container.restartCount',
  terminationMessagePath: 'annotation.io.kubernetes.container.terminationMessagePath',
  terminationMessagePolicy: 'annotation.io.kubernetes.container.terminationMessagePolicy',
  gracePeriod: 'annotation.io.kubernetes.pod.terminationGracePeriod',
} as const;

export const sandboxContainerName = 'POD';

export interface PodIdentity {
  uid: string;
  name: string;
  namespace: string;
}

export function identityOf(pod: Pod): PodIdentity {
  const { uid = '', name = '', namespace = 'default' } = pod.metadata;
  return { uid, name, namespace };
}

/** k8s_CONTAINER_POD_NAMESPACE_UID_ATTEMPT */
export function containerName(identity: PodIdentity, container: string, attempt: number): string {
  return ['k8s', container, identity.name, identity.namespace, identity.uid, String(attempt)].join('_');
}

export function podLabels(identity: PodIdentity): Record<string, string> {
  return {
    [labels.podName]: identity.name,
    [labels.podNamespace]: identity.namespace,
    [labels.podUid]: identity.uid,
  };
}

/** NAME_NAMESPACE(UID), as events and messages name a Pod. */
export function describePod(identity: PodIdentity): string {
  return `${identity.name}_${identity.namespace}(${identity.uid})`;
}
