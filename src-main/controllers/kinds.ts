// The kinds the API server serves: what namespace deletion empties and the garbage collector follows. Events have no
// owners and no dependents, so the collector leaves them out by itself.

import { resources } from '../api';
import type { ServedKind } from './engine';

export const builtInKinds: readonly ServedKind[] = [
  { ...resources.namespaces, kind: 'Namespace' },
  { ...resources.nodes, kind: 'Node' },
  { ...resources.deployments, kind: 'Deployment' },
  { ...resources.replicasets, kind: 'ReplicaSet' },
  { ...resources.pods, kind: 'Pod' },
  { ...resources.services, kind: 'Service' },
  { ...resources.endpoints, kind: 'Endpoints' },
  { ...resources.endpointslices, kind: 'EndpointSlice' },
  { ...resources.configmaps, kind: 'ConfigMap' },
  { ...resources.secrets, kind: 'Secret' },
  { ...resources.serviceaccounts, kind: 'ServiceAccount' },
  { ...resources.leases, kind: 'Lease' },
  { ...resources.events, kind: 'Event' },
];
