// What a cluster's control plane process is told.

import type { ControlPlaneConfig } from '../control-plane';
import type { ClusterPaths } from '../files';
import type { ClusterPki } from '../pki';
import { hostAddressInGuests } from './environment';
import type { ClusterRecord } from './record';

export function controlPlaneConfig(request: {
  record: ClusterRecord;
  paths: ClusterPaths;
  pki: ClusterPki;
  logLevel: string;
}): ControlPlaneConfig {
  const { record, paths, pki } = request;
  return {
    cluster: record.name,
    storeDirectory: paths.store,
    // Several clusters may share an etcd, and one that is made anew must not find what its namesake left.
    ...(record.etcd && { etcd: { ...record.etcd, keyPrefix: `/pilothouse/${record.name}/${record.createdAt}` } }),
    lockPath: paths.controlPlaneLock,
    logFile: paths.controlPlaneLog,
    logLevel: request.logLevel,
    listen: { host: '127.0.0.1', port: record.apiPort },
    advertise: { address: hostAddressInGuests, port: record.apiPort },
    networks: { pod: record.networks.pod, service: record.networks.service },
    certificates: {
      ca: pki.ca.certificate,
      serverCert: pki.apiServer.certificate,
      serverKey: pki.apiServer.key,
      kubeletClientCert: pki.apiServerKubeletClient.certificate,
      kubeletClientKey: pki.apiServerKubeletClient.key,
      serviceAccountKey: pki.serviceAccountKey,
    },
  };
}
