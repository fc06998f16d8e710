// Wire shapes of discovery.k8s.io/v1.

import type { ObjectReference } from '../core/types';
import type { KubeObject } from '../meta';

export interface Endpoint {
  addresses: string[];
  conditions?: { ready?: boolean; serving?: boolean; terminating?: boolean };
  hostname?: string;
  targetRef?: ObjectReference;
  nodeName?: string;
  zone?: string;
  deprecatedTopology?: Record<string, string>;
  hints?: { forZones?: { name: string }[]; forNodes?: { name: string }[] };
}

export interface EndpointPort {
  name?: string;
  protocol?: string;
  port?: number;
  appProtocol?: string;
}

export interface EndpointSlice extends KubeObject {
  /** IPv4, IPv6 or FQDN. */
  addressType: string;
  endpoints: Endpoint[];
  ports?: EndpointPort[];
}
