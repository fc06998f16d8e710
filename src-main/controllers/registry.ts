// Every controller of the controller manager. Adding one is its file and its line here.

import { deploymentController } from './deployment/deployment';
import { endpointsController } from './endpoints/endpoints';
import { endpointSliceController } from './endpointslice/endpointslice';
import type { ControllerDeclaration } from './engine';
import { garbageCollector } from './garbage-collector/garbage-collector';
import { namespaceController } from './namespace/namespace';
import { nodeIpamController } from './node-ipam/node-ipam';
import { nodeLifecycleController } from './node-lifecycle/node-lifecycle';
import { taintEvictionController } from './node-lifecycle/taint-eviction';
import { podGcController } from './pod-gc/pod-gc';
import { replicaSetController } from './replicaset/replicaset';
import { rootCertificateController } from './service-account/root-certificate';
import { serviceAccountController } from './service-account/service-account';

export const controllers: readonly ControllerDeclaration[] = [
  nodeIpamController,
  nodeLifecycleController,
  taintEvictionController,
  serviceAccountController,
  rootCertificateController,
  deploymentController,
  replicaSetController,
  endpointsController,
  endpointSliceController,
  namespaceController,
  garbageCollector,
  podGcController,
];
