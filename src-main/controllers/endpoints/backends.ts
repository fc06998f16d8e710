// The Pods behind a Service and the ports they answer on: what Endpoints and EndpointSlices are both made of. Pure.

import { labelMapMatcher, type Pod, type Service, type ServicePort } from '../../api';
import { isFinished, isReady } from '../pod-state';

export interface BackendPort {
  name?: string;
  port: number;
  protocol: string;
  appProtocol?: string;
}

export interface Backend {
  pod: Pod;
  ip: string;
  ports: BackendPort[];
  ready: boolean;
  serving: boolean;
  terminating: boolean;
}

/** Whether controllers fill in what is behind this Service; without a selector its owner does. */
export function isManaged({ spec }: Service): boolean {
  return spec.type !== 'ExternalName' && Object.keys(spec.selector ?? {}).length > 0;
}

export function isHeadless({ spec }: Service): boolean {
  return spec.clusterIP === 'None';
}

/** Sorted by address, so that equal sets are equal lists. */
export function backendsOf(service: Service, pods: readonly Pod[]): Backend[] {
  const matches = labelMapMatcher(service.spec.selector);
  const publishNotReady = service.spec.publishNotReadyAddresses ?? false;
  return pods
    .filter((pod) => matches(pod.metadata.labels) && pod.status?.podIP && !isFinished(pod))
    .map((pod) => {
      const serving = isReady(pod);
      const terminating = pod.metadata.deletionTimestamp !== undefined;
      const ready = publishNotReady || (serving && !terminating);
      return { pod, ip: pod.status!.podIP!, ports: portsOf(service, pod), ready, serving, terminating };
    })
    .filter(({ ports }) => ports.length > 0 || (service.spec.ports ?? []).length === 0)
    .sort((a, b) => (a.ip < b.ip ? -1 : a.ip > b.ip ? 1 : 0));
}

function portsOf(service: Service, pod: Pod): BackendPort[] {
  return (service.spec.ports ?? []).flatMap((servicePort) => {
    const port = targetPort(servicePort, pod);
    if (port === undefined) return [];
    const { name, protocol = 'TCP', appProtocol } = servicePort;
    return [{ ...(name ? { name } : {}), port, protocol, ...(appProtocol ? { appProtocol } : {}) }];
  });
}

/** The number, or the Pod's own port of that name and protocol: it may differ from Pod to Pod. */
function targetPort({ port, targetPort: target, protocol = 'TCP' }: ServicePort, pod: Pod): number | undefined {
  if (typeof target === 'number') return target || port;
  if (!target) return port;
  const sidecars = (pod.spec.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === 'Always');
  const ports = [...pod.spec.containers, ...sidecars].flatMap((container) => container.ports ?? []);
  return ports.find((own) => own.name === target && (own.protocol ?? 'TCP') === protocol)?.containerPort;
}
