// Every kind the API server serves from the start. Order is the order of discovery documents.

import { deploymentKind } from './apps/deployment';
import { replicaSetKind } from './apps/replica-set';
import { leaseKind } from './coordination/lease';
import { configMapKind } from './core/config-map';
import { endpointsKind } from './core/endpoints';
import { eventKind } from './core/event';
import { namespaceKind } from './core/namespace';
import { nodeKind } from './core/node';
import { podKind } from './core/pod';
import { secretKind } from './core/secret';
import { serviceKind } from './core/service';
import { serviceAccountKind } from './core/service-account';
import { endpointSliceKind } from './discovery/endpoint-slice';
import type { Kind } from './kind';

export const builtInKinds: readonly Kind[] = [
  configMapKind,
  endpointsKind,
  eventKind,
  namespaceKind,
  nodeKind,
  podKind,
  secretKind,
  serviceKind,
  serviceAccountKind,
  deploymentKind,
  replicaSetKind,
  leaseKind,
  endpointSliceKind,
];

/** The kind served under this plural, if any. */
export function findKind(group: string, version: string, plural: string): Kind | undefined {
  return builtInKinds.find((kind) => kind.group === group && kind.version === version && kind.plural === plural);
}
