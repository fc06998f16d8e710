// The kubelet's command line and configuration file. Field names are upstream's KubeletConfiguration where it has them;
// `nodeIP`, `podNetwork` and the file locations are ours.

import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { PilothouseError } from '../../kit';
import { parseYamlOrJson } from '../process/kubeconfig';

export interface KubeletConfiguration {
  address: string;
  port: number;
  tlsCertFile: string;
  tlsPrivateKeyFile: string;
  clientCAFile: string;
  clusterDNS: string[];
  clusterDomain: string;
  /** Seconds. */
  nodeStatusUpdateFrequency: number;
  /** Seconds. */
  nodeStatusReportFrequency: number;
  nodeLeaseDurationSeconds: number;
  /** Seconds between refreshes of mounted ConfigMaps and Secrets. */
  syncFrequency: number;
  maxPods: number;
  staticPodPath: string;
  registerNode: boolean;
  registerWithTaints: { key: string; value?: string; effect: string }[];
  nodeLabels: Record<string, string>;
  nodeIP: string;
  /** The whole Pod network and the backend: routes through the nodes' own network. */
  podNetwork: { cidr: string; serviceCIDR: string; device: string; mtu?: number };
  rootDirectory: string;
  podLogsRootDir: string;
  dockerSocket: string;
  pauseImage: string;
  pauseArchive: string;
  resolvConf: string;
}

const defaults: KubeletConfiguration = {
  address: '0.0.0.0',
  port: 10250,
  tlsCertFile: '/var/lib/kubelet/pki/kubelet.crt',
  tlsPrivateKeyFile: '/var/lib/kubelet/pki/kubelet.key',
  clientCAFile: '/etc/kubernetes/pki/ca.crt',
  clusterDNS: [],
  clusterDomain: 'cluster.local',
  nodeStatusUpdateFrequency: 10,
  nodeStatusReportFrequency: 300,
  nodeLeaseDurationSeconds: 40,
  syncFrequency: 60,
  maxPods: 110,
  staticPodPath: '',
  registerNode: true,
  registerWithTaints: [],
  nodeLabels: {},
  nodeIP: '',
  podNetwork: { cidr: '10.244.0.0/16', serviceCIDR: '10.96.0.0/12', device: 'cni0' },
  rootDirectory: '/var/lib/kubelet',
  podLogsRootDir: '/var/log/pods',
  dockerSocket: '/var/run/docker.sock',
  pauseImage: 'pilothouse/pause:1',
  pauseArchive: '/opt/pilothouse/pause.tar',
  resolvConf: '/etc/resolv.conf',
};

/** Go durations as they are written in a KubeletConfiguration ("10s", "5m0s"), or a number of seconds. */
export function parseSeconds(value: unknown, fallback: number): number {
  if (typeof value === 'number') return value;
  if (typeof value !== 'string') return fallback;
  const units: Record<string, number> = { h: 3600, m: 60, s: 1, ms: 0.001 };
  const parts = [...value.matchAll(/(\d+(?:\.\d+)?)(ms|h|m|s)/g)];
  if (parts.length === 0) return fallback;
  return parts.reduce((sum, part) => sum + Number(part[1]) * units[part[2]!]!, 0);
}

/** Unknown fields are ignored as upstream's lenient decoder does; durations are turned into seconds. */
export function parseKubeletConfiguration(text: string): KubeletConfiguration {
  const given = (parseYamlOrJson(text) ?? {}) as Record<string, unknown>;
  const authentication = given.authentication as { x509?: { clientCAFile?: string } } | undefined;
  const merged = { ...defaults, ...given } as KubeletConfiguration;
  return {
    ...merged,
    podNetwork: { ...defaults.podNetwork, ...(given.podNetwork as object | undefined) },
    clientCAFile: authentication?.x509?.clientCAFile ?? merged.clientCAFile,
    nodeStatusUpdateFrequency: parseSeconds(given.nodeStatusUpdateFrequency, defaults.nodeStatusUpdateFrequency),
    nodeStatusReportFrequency: parseSeconds(given.nodeStatusReportFrequency, defaults.nodeStatusReportFrequency),
    syncFrequency: parseSeconds(given.syncFrequency, defaults.syncFrequency),
  };
}

export interface KubeletArguments {
  kubeconfig: string;
  nodeName: string;
  configuration: KubeletConfiguration;
  verbose: boolean;
}

/** Throws AGENT_ARGUMENTS naming the flag that is missing. */
export function parseKubeletArguments(argv: readonly string[], hostname: string): KubeletArguments {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      kubeconfig: { type: 'string' },
      config: { type: 'string' },
      'hostname-override': { type: 'string' },
      verbose: { type: 'boolean', short: 'v' },
    },
  });
  if (!values.kubeconfig) {
    throw new PilothouseError({
      code: 'AGENT_ARGUMENTS',
      message: '--kubeconfig is required',
      hint: 'node kubelet.mjs --kubeconfig /etc/kubernetes/kubelet.conf --config /var/lib/kubelet/config.yaml',
    });
  }
  return {
    kubeconfig: values.kubeconfig,
    nodeName: (values['hostname-override'] ?? hostname).toLowerCase(),
    configuration: parseKubeletConfiguration(values.config ? readFileSync(values.config, 'utf8') : '{}'),
    verbose: values.verbose ?? false,
  };
}
