// kube-proxy's command line and configuration file, with upstream's KubeProxyConfiguration names.

import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { PilothouseError } from '../../kit';
import { parseYamlOrJson } from '../process/kubeconfig';

export interface ProxyConfiguration {
  clusterCIDR: string;
  mode: string;
  hostnameOverride: string;
  /** host:port */
  healthzBindAddress: string;
  kubeconfig: string;
  verbose: boolean;
}

/** Throws AGENT_ARGUMENTS naming the field and what it may be. */
export function parseProxyArguments(argv: readonly string[], hostname: string): ProxyConfiguration {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      config: { type: 'string' },
      kubeconfig: { type: 'string' },
      'hostname-override': { type: 'string' },
      verbose: { type: 'boolean', short: 'v' },
    },
  });
  const given = (
    values.config ? parseYamlOrJson(readFileSync(values.config, 'utf8')) : {}
  ) as Partial<ProxyConfiguration> & {
    clientConnection?: { kubeconfig?: string };
  };
  const mode = given.mode || 'iptables';
  const refuse = (message: string, hint: string) => new PilothouseError({ code: 'AGENT_ARGUMENTS', message, hint });
  if (mode !== 'iptables') throw refuse(`mode: Unsupported value: "${mode}"`, 'Supported values: "iptables".');
  const kubeconfig = values.kubeconfig ?? given.clientConnection?.kubeconfig;
  if (!kubeconfig) throw refuse('--kubeconfig is required', 'Name the file of the credentials.');
  return {
    clusterCIDR: given.clusterCIDR ?? '',
    mode,
    hostnameOverride: (values['hostname-override'] || given.hostnameOverride || hostname).toLowerCase(),
    healthzBindAddress: given.healthzBindAddress || '0.0.0.0:10256',
    kubeconfig,
    verbose: values.verbose ?? false,
  };
}
