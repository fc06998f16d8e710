// Where everything of Pilothouse is on disk (DESIGN §5). Everything a cluster owns is below its own folder.

import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

export interface ClusterPaths {
  directory: string;
  record: string;
  store: string;
  pki: string;
  kubeconfig: string;
  machines: string;
  logs: string;
  controlPlaneLog: string;
  controlPlaneOutput: string;
  controlPlaneLock: string;
}

export interface HomePaths {
  directory: string;
  config: string;
  images: string;
  clusters: string;
  uploads: string;
  logs: string;
  hostLog: string;
  hostFile: string;
  hostLock: string;
  cluster(name: string): ClusterPaths;
}

/** The home folder: `PILOTHOUSE_HOME`, else `~/.pilothouse`. */
export function homeDirectory(environment: NodeJS.ProcessEnv = process.env): string {
  return resolve(environment['PILOTHOUSE_HOME'] || join(homedir(), '.pilothouse'));
}

export function homePaths(directory: string): HomePaths {
  const below = (...parts: string[]) => join(directory, ...parts);
  return {
    directory,
    config: below('config.json'),
    // Node images depend on nothing but their recipe and take minutes to build: several homes may share them.
    images: process.env['PILOTHOUSE_IMAGES'] ? resolve(process.env['PILOTHOUSE_IMAGES']) : below('images'),
    clusters: below('clusters'),
    uploads: below('uploads'),
    logs: below('logs'),
    hostLog: below('logs', 'host.log'),
    hostFile: below('host.json'),
    hostLock: below('host.lock'),
    cluster: (name) => clusterPaths(below('clusters', name)),
  };
}

export function clusterPaths(directory: string): ClusterPaths {
  const below = (...parts: string[]) => join(directory, ...parts);
  return {
    directory,
    record: below('cluster.json'),
    store: below('store'),
    pki: below('pki'),
    kubeconfig: below('kubeconfig'),
    machines: below('machines'),
    logs: below('logs'),
    controlPlaneLog: below('logs', 'control-plane.log'),
    controlPlaneOutput: below('logs', 'control-plane.output.log'),
    controlPlaneLock: below('control-plane.lock'),
  };
}
