// What both shells of the host share: one instance per home folder, a log, the services over real machines. Knows
// neither HTTP nor Electron.

import { mkdir } from 'node:fs/promises';
import type { HostView } from '../contract';
import { DisposableStack, type Logger, messageOf } from '../kit';
import { createQemuMachineSet, hostRequirements } from '../machines';
import {
  acquireInstanceLock,
  createLogger,
  type HomePaths,
  type HostServicesOptions,
  homeDirectory,
  homePaths,
  type LaunchControlPlane,
  type OpenHostServices,
  openHostServices,
} from '../services';
import type { Application } from './application';

export interface OpenHostOptions {
  application: Application;
  shell: HostView['shell'];
  launchControlPlane: LaunchControlPlane;
  /** Called when a caller asked the host to end; its clusters are stopped by then. */
  onShutdown: () => void;
  home?: string;
  logLevel?: string;
  /** First port that is tried for an API server. */
  firstApiPort?: number;
  /** Machines other than QEMU's, for tests. */
  createMachineSet?: HostServicesOptions['createMachineSet'];
}

export interface OpenHost {
  services: OpenHostServices;
  paths: HomePaths;
  logger: Logger;
  /** Stops the clusters and lets go of the home folder. */
  close(): Promise<void>;
}

/** Error ALREADY_RUNNING (details.pid) when another host owns the home folder. */
export async function openHost(options: OpenHostOptions): Promise<OpenHost> {
  const { application, shell } = options;
  const paths = homePaths(options.home ?? homeDirectory());
  await mkdir(paths.directory, { recursive: true, mode: 0o700 });
  const stack = new DisposableStack();
  const lock = await acquireInstanceLock({
    path: paths.hostLock,
    what: `the Pilothouse home ${paths.directory}`,
    waitMs: 0,
  });
  stack.use(lock);
  try {
    const logLevel = options.logLevel ?? process.env['PILOTHOUSE_LOG_LEVEL'] ?? 'info';
    const logger = createLogger({ file: paths.hostLog, level: logLevel });
    logger.info('the host starts', { version: application.version, shell, pid: process.pid });
    const services = await openHostServices({
      paths,
      version: application.version,
      shell,
      launchControlPlane: options.launchControlPlane,
      createMachineSet: options.createMachineSet ?? createQemuMachineSet,
      agentsDirectory: application.agents,
      // Other machines than QEMU's do not need its programs.
      requirements: async () => (options.createMachineSet ? [] : hostRequirements({ directory: paths.directory })),
      logger,
      logLevel,
      onShutdown: options.onShutdown,
      firstApiPort: options.firstApiPort,
    });
    stack.defer(async () => {
      await services.close();
      logger.info('the host ended');
    });
    return { services, paths, logger, close: () => stack.dispose() };
  } catch (error) {
    createLogger({ file: paths.hostLog }).error('the host did not start', { reason: messageOf(error) });
    await stack.dispose();
    throw error;
  }
}
