// Everything a host offers, put together: what the router's context is made of.

import type { HostServices, HostView, RequirementView } from '../contract';
import type { Logger } from '../kit';
import { type ClusterEnvironment, Clusters, createClusterStore } from './cluster';
import { type HomePaths } from './files';
import { createHostService, hostCapacity } from './host/host-service';
import { createKubeService } from './kube';

export interface HostServicesOptions
  extends Pick<ClusterEnvironment, 'launchControlPlane' | 'createMachineSet' | 'agentsDirectory'> {
  paths: HomePaths;
  version: string;
  shell: HostView['shell'];
  requirements: () => Promise<RequirementView[]>;
  logger: Logger;
  logLevel?: string;
  /** Called when the host was asked to end and its clusters are stopped. */
  onShutdown: () => void;
  /** First port that is tried for an API server. */
  firstApiPort?: number;
}

export interface OpenHostServices extends HostServices {
  clusters: Clusters;
  /** Stops every cluster; what was wanted of them is gone on with at the next start. */
  close(): Promise<void>;
}

export async function openHostServices(options: HostServicesOptions): Promise<OpenHostServices> {
  const { paths, logger } = options;
  const environment: ClusterEnvironment = {
    paths,
    store: createClusterStore(paths, logger),
    launchControlPlane: options.launchControlPlane,
    createMachineSet: options.createMachineSet,
    agentsDirectory: options.agentsDirectory,
    logger,
    logLevel: options.logLevel ?? 'info',
    capacity: () => hostCapacity(paths.directory),
  };
  const clusters = new Clusters({
    environment,
    requirements: options.requirements,
    firstApiPort: options.firstApiPort,
  });
  await clusters.open();
  let closing: Promise<void> | undefined;
  const close = () => (closing ??= clusters.close());
  const shutdown = async () => {
    await close();
    options.onShutdown();
  };
  return {
    host: createHostService({ ...options, home: paths.directory, shutdown }),
    clusters,
    kube: createKubeService({ client: (cluster) => clusters.find(cluster).client() }),
    close,
  };
}
