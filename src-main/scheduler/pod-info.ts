// A Pod as the scheduler sees it, with everything a cycle needs worked out beforehand. Pure.

import type { Affinity, Pod, Toleration } from '../api';
import { objectKey } from '../client';
import { type Amounts, podRequests, scoringRequests } from './resource-amounts';

export interface HostPort {
  ip: string;
  protocol: string;
  port: number;
}

export interface PodInfo {
  readonly key: string;
  readonly uid: string;
  readonly pod: Pod;
  readonly requests: Amounts;
  readonly scoring: Amounts;
  readonly hostPorts: readonly HostPort[];
  readonly priority: number;
  readonly tolerations: readonly Toleration[];
  readonly affinity: Affinity | undefined;
}

export function podInfo(pod: Pod): PodInfo {
  const { spec, metadata } = pod;
  return {
    key: objectKey(pod),
    uid: metadata.uid ?? '',
    pod,
    requests: podRequests(spec),
    scoring: scoringRequests(spec),
    hostPorts: hostPortsOf(pod),
    priority: spec.priority ?? 0,
    tolerations: spec.tolerations ?? [],
    affinity: spec.affinity,
  };
}

function hostPortsOf({ spec }: Pod): HostPort[] {
  const sidecars = (spec.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === 'Always');
  return [...sidecars, ...spec.containers].flatMap(({ ports = [] }) =>
    ports.flatMap(({ hostPort, hostIP, protocol = 'TCP' }) =>
      hostPort ? [{ ip: hostIP || '0.0.0.0', protocol, port: hostPort }] : [],
    ),
  );
}

/** Whether two host ports cannot be had on one node: the wildcard address takes the port on all addresses. */
export function portsConflict(a: HostPort, b: HostPort): boolean {
  const sameAddress = a.ip === b.ip || a.ip === '0.0.0.0' || b.ip === '0.0.0.0';
  return a.port === b.port && a.protocol === b.protocol && sameAddress;
}
