// The headless host as one call: services, HTTP server, and the file by which the command line finds it.

import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { type HostFile, type HostView, tokenParameter } from '../../contract';
import { type Logger, PilothouseError } from '../../kit';
import {
  createForkLauncher,
  firstFreePort,
  type HostServicesOptions,
  type LaunchControlPlane,
  type OpenHostServices,
  writeFileAtomic,
} from '../../services';
import type { Application } from '../application';
import { type OpenHost, openHost } from '../open-host';
import { type HeadlessServer, startHeadlessServer } from './server';

export interface HeadlessHostOptions {
  application: Application;
  /** Exactly this port; absent = the first free one from 7777. */
  port?: number;
  home?: string;
  firstApiPort?: number;
  /** Machines other than QEMU's, for tests. */
  createMachineSet?: HostServicesOptions['createMachineSet'];
  onShutdown: () => void;
  /** The desktop shell serves the command line the same way, and starts control planes by Electron's means. */
  shell?: HostView['shell'];
  launchControlPlane?: LaunchControlPlane;
}

export interface HeadlessHost {
  /** http://127.0.0.1:7777 */
  url: string;
  /** The same with the token: opens the window. */
  windowUrl: string;
  token: string;
  services: OpenHostServices;
  logger: Logger;
  stop(): Promise<void>;
}

const firstPort = 7777;
const portTries = 5;

export async function runHeadlessHost(options: HeadlessHostOptions): Promise<HeadlessHost> {
  const { application } = options;
  const host = await openHost({
    application,
    shell: options.shell ?? 'headless',
    launchControlPlane:
      options.launchControlPlane ??
      createForkLauncher({ entry: application.entries.controlPlane, execArgv: application.execArgv }),
    home: options.home,
    firstApiPort: options.firstApiPort,
    createMachineSet: options.createMachineSet,
    onShutdown: options.onShutdown,
  });
  const token = randomBytes(32).toString('base64url');
  let server: HeadlessServer;
  try {
    server = await serve(host, { ...options, token });
    const file: HostFile = { pid: process.pid, url: server.url, token, version: application.version };
    await writeFileAtomic(host.paths.hostFile, `${JSON.stringify(file, null, 2)}\n`);
  } catch (error) {
    await host.close();
    throw error;
  }
  host.logger.info('the headless host listens', { url: server.url });
  let stopping: Promise<void> | undefined;
  const stop = async () => {
    // Callers may watch the clusters stop, so the server goes last.
    await host.services.close();
    await rm(host.paths.hostFile, { force: true });
    await server.stop();
    await host.close();
  };
  return {
    url: server.url,
    windowUrl: `${server.url}/?${new URLSearchParams({ [tokenParameter]: token })}`,
    token,
    services: host.services,
    logger: host.logger,
    stop: () => (stopping ??= stop()),
  };
}

/** Another program may take a free port between looking and listening: then the next one is tried. */
async function serve(host: OpenHost, options: HeadlessHostOptions & { token: string }): Promise<HeadlessServer> {
  const { services, logger } = host;
  const start = (port: number) =>
    startHeadlessServer({ services, logger, token: options.token, renderer: options.application.renderer, port });
  if (options.port !== undefined) return start(options.port);
  for (let attempt = 1; ; attempt++) {
    try {
      return await start(await firstFreePort({ from: firstPort }));
    } catch (error) {
      const taken = error instanceof PilothouseError && error.code === 'PORT_TAKEN';
      if (!taken || attempt === portTries) throw error;
    }
  }
}
