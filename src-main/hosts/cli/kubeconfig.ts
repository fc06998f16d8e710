// `pilothouse kubeconfig`: printed, written to a path, or merged into the person's own file. Works without a host, on
// what the cluster's folder holds.

import { resolve } from 'node:path';
import { PilothouseError, silentLogger } from '../../kit';
import { commandName } from '../../machines';
import {
  contextName,
  createClusterStore,
  kubeconfigEntries,
  mergeIntoFile,
  openClusterPki,
  renderKubeconfig,
  userKubeconfigPath,
  writeFileAtomic,
} from '../../services';
import type { CommandContext } from './commands';
import { chooseCluster } from './choose-cluster';
import { badUsage } from './exit-codes';
import { json } from './output';

export interface KubeconfigFlags {
  name?: string;
  merge?: boolean;
  print?: string;
  json?: boolean;
}

export async function kubeconfig(context: CommandContext, flags: KubeconfigFlags): Promise<void> {
  const { output, paths } = context;
  const name = await chooseCluster(paths, flags.name);
  if (flags.merge && flags.print !== undefined) {
    throw badUsage('--merge and --print exclude each other', 'Give one of them, or none to see the text.');
  }
  const record = await createClusterStore(paths, silentLogger).read(name);
  if (!record) {
    throw new PilothouseError({
      code: 'CLUSTER_NOT_FOUND',
      message: `there is no cluster named ${name}`,
      hint: `${commandName()} status lists what there is; ${commandName()} up creates one.`,
    });
  }
  const pki = await openClusterPki(paths.cluster(name).pki);
  const request = {
    entry: contextName(name),
    server: `https://127.0.0.1:${record.apiPort}`,
    certificateAuthority: pki.ca.certificate,
    user: pki.admin,
  };
  if (flags.print !== undefined) {
    const path = resolve(flags.print);
    await writeFileAtomic(path, renderKubeconfig(request));
    output.print(flags.json ? json({ path }) : `Written to ${path}.`);
    return;
  }
  if (!flags.merge) {
    const text = renderKubeconfig(request);
    output.print(
      flags.json ? json({ context: request.entry, server: request.server, kubeconfig: text }) : text.trimEnd(),
    );
    return;
  }
  const result = await mergeIntoFile(userKubeconfigPath(), kubeconfigEntries(request));
  if (flags.json) return output.print(json({ ...result, context: request.entry }));
  if (!result.changed) return output.print(`${result.path} has context ${request.entry} already; nothing was changed.`);
  output.print(
    [
      `${result.path}:`,
      ...result.diff,
      '',
      ...(result.backup ? [`The former file is ${result.backup}.`] : []),
      `Use it: kubectl --context ${request.entry} get nodes`,
    ].join('\n'),
  );
}
