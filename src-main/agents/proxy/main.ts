// The program `kube-proxy.mjs` of a node. SIGTERM ends it; the rules stay.

import { hostname } from 'node:os';
import { createHttpsClient } from '../../client';
import { PilothouseError, messageOf, systemClock } from '../../kit';
import { createCommandRunner } from '../process/command';
import { createJsonLogger } from '../process/json-logger';
import { loadKubeconfig } from '../process/kubeconfig';
import { kubernetesVersion } from '../process/version';
import { runProxy } from './proxy';
import { parseProxyArguments } from './proxy-configuration';

async function main(argv: readonly string[]): Promise<void> {
  if (argv.includes('--version')) {
    process.stdout.write(`Kubernetes ${kubernetesVersion}\n`);
    return;
  }
  const configuration = parseProxyArguments(argv, hostname());
  const logger = createJsonLogger({ level: configuration.verbose ? 'debug' : 'info' });
  const stopping = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => {
      stopping.abort();
      // Whatever hangs must not hold systemd up.
      setTimeout(() => process.exit(0), 5000).unref();
    });
  }
  const access = loadKubeconfig(configuration.kubeconfig);
  const client = createHttpsClient({ ...access, userAgent: `kube-proxy/${kubernetesVersion}` });
  const { clusterCIDR, hostnameOverride: nodeName, healthzBindAddress } = configuration;
  const run = createCommandRunner();
  const options = { client, nodeName, clusterCIDR, healthzBindAddress, run, clock: systemClock, logger };
  await runProxy(options, stopping.signal);
  process.exit(0);
}

main(process.argv.slice(2)).catch((error: unknown) => {
  const hint = error instanceof PilothouseError && error.hint ? ` (${error.hint})` : '';
  process.stderr.write(`kube-proxy: ${messageOf(error)}${hint}\n`);
  process.exit(1);
});
