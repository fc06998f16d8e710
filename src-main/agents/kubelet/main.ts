// The program `kubelet.mjs` of a node. SIGTERM ends it; the containers stay.

import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { createHttpsClient } from '../../client';
import { PilothouseError, messageOf, systemClock } from '../../kit';
import { createCommandRunner } from '../process/command';
import { createJsonLogger } from '../process/json-logger';
import { loadKubeconfig } from '../process/kubeconfig';
import { kubernetesVersion } from '../process/version';
import { runKubelet } from './kubelet';
import { parseKubeletArguments } from './kubelet-configuration';

async function main(argv: readonly string[]): Promise<void> {
  if (argv.includes('--version')) {
    process.stdout.write(`Kubernetes ${kubernetesVersion}\n`);
    return;
  }
  const { kubeconfig, nodeName, configuration, verbose } = parseKubeletArguments(argv, hostname());
  const logger = createJsonLogger({ level: verbose ? 'debug' : 'info' });
  const stopping = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => {
      logger.info('stopping, containers go on running', { signal });
      stopping.abort();
      // Whatever hangs must not hold systemd up.
      setTimeout(() => process.exit(0), 5000).unref();
    });
  }
  const access = loadKubeconfig(kubeconfig);
  const run = createCommandRunner();
  const client = createHttpsClient({ ...access, userAgent: `kubelet/${kubernetesVersion}` });
  const tls = {
    cert: readFileSync(configuration.tlsCertFile),
    key: readFileSync(configuration.tlsPrivateKeyFile),
    ca: readFileSync(configuration.clientCAFile),
  };
  await runKubelet(
    { client, tunnel: access, tls, nodeName, configuration, run, clock: systemClock, logger },
    stopping.signal,
  );
  process.exit(0);
}

main(process.argv.slice(2)).catch((error: unknown) => {
  const hint = error instanceof PilothouseError && error.hint ? ` (${error.hint})` : '';
  process.stderr.write(`kubelet: ${messageOf(error)}${hint}\n`);
  process.exit(1);
});
