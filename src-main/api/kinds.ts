// Every kind the API server serves from the start. Order is the order of discovery documents.

import { daemonSetKind } from './apps/daemon-set';
import { deploymentKind } from './apps/deployment';
import { replicaSetKind } from './apps/replica-set';
import { statefulSetKind } from './apps/stateful-set';
import { cronJobKind } from './batch/cron-job';
import { jobKind } from './batch/job';
import { leaseKind } from './coordination/lease';
import { configMapKind } from './core/config-map';
import { endpointsKind } from './core/endpoints';
import { eventKind } from './core/event';
import { limitRangeKind, resourceQuotaKind } from './core/limits';
import { namespaceKind } from './core/namespace';
import { nodeKind } from './core/node';
import { podKind } from './core/pod';
import { replicationControllerKind } from './core/replication-controller';
import { secretKind } from './core/secret';
import { serviceKind } from './core/service';
import { serviceAccountKind } from './core/service-account';
import { persistentVolumeClaimKind, persistentVolumeKind } from './core/storage';
import { endpointSliceKind } from './discovery/endpoint-slice';
import type { Kind } from './kind';
import { clusterRoleBindingKind, roleBindingKind } from './rbac/bindings';
import { clusterRoleKind, roleKind } from './rbac/roles';

export const builtInKinds: readonly Kind[] = [
  configMapKind,
  endpointsKind,
  eventKind,
  limitRangeKind,
  namespaceKind,
  nodeKind,
  persistentVolumeClaimKind,
  persistentVolumeKind,
  podKind,
  replicationControllerKind,
  resourceQuotaKind,
  secretKind,
  serviceAccountKind,
  serviceKind,
  daemonSetKind,
  deploymentKind,
  replicaSetKind,
  statefulSetKind,
  cronJobKind,
  jobKind,
  leaseKind,
  endpointSliceKind,
  clusterRoleBindingKind,
  clusterRoleKind,
  roleBindingKind,
  roleKind,
];

/** The kind served under this plural, if any. */
export function findKind(group: string, version: string, plural: string): Kind | undefined {
  return builtInKinds.find((kind) => kind.group === group && kind.version === version && kind.plural === plural);
}
