// What a cluster needs of the host around it: everything with an effect outside comes in here, so that tests can put
// fakes at these edges.

import { createHttpsClient, type HttpsClient, type TransportOptions } from '../../client';
import type { Logger } from '../../kit';
import type { MachineSet, MachineSetOptions } from '../../machines';
import type { HostCapacity } from './capacity';
import type { LaunchControlPlane } from '../control-plane';
import type { HomePaths } from '../files';
import type { ClusterStore } from './record';

/** What a cluster uses of its machines. */
export type ClusterMachines = Pick<MachineSet, 'list' | 'provision' | 'connect' | 'stop' | 'delete' | 'dispose'>;

export interface ClusterEnvironment {
  paths: HomePaths;
  store: ClusterStore;
  launchControlPlane: LaunchControlPlane;
  createMachineSet: (options: MachineSetOptions & { logger: Logger }) => Promise<ClusterMachines>;
  /** Folder with the bundled node agents. */
  agentsDirectory: string;
  logger: Logger;
  logLevel: string;
  createClient?: (options: TransportOptions) => HttpsClient;
  /** What this computer has to give right now. */
  capacity: () => Promise<HostCapacity>;
  /** How often machines are looked at, in milliseconds. */
  healthMs?: number;
  /** How long a machine that fell over is left alone at first, in milliseconds. */
  restartMs?: number;
}

/** The address at which a QEMU guest reaches this computer. */
export const hostAddressInGuests = '10.0.2.2';

export const defaultNetworks = { node: '192.168.77.0/24', pod: '10.244.0.0/16', service: '10.96.0.0/12' } as const;

export function clientOf(environment: ClusterEnvironment, options: TransportOptions): HttpsClient {
  return (environment.createClient ?? createHttpsClient)(options);
}
