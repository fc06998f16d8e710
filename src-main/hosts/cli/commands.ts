// The commands that speak with the host. Each resolves when done; errors become messages and exit codes in main.ts.

import { resolve } from 'node:path';
import { stat } from 'node:fs/promises';
import type { ClusterView } from '../../contract';
import { PilothouseError } from '../../kit';
import { commandName, within } from '../../machines';
import { type HomePaths, isMissing } from '../../services';
import type { Application } from '../application';
import { chooseCluster } from './choose-cluster';
import { badUsage, exitCodes } from './exit-codes';
import { type ClusterFlags, completeRequest, parseClusterFlags, parseClusterName, parseSeconds } from './flags';
import { connectHost, ensureHost, findHost, type HostConnection } from './host-connection';
import { describeClusters, json, type Output, stepLines } from './output';
import { windowUrl } from './window-url';

export interface CommandContext {
  paths: HomePaths;
  application: Application;
  output: Output;
}

export interface UpFlags extends ClusterFlags {
  json?: boolean;
  timeout?: string;
}

/** Brings a cluster up, made anew when there is none of that name. Resolves when every node is Ready. */
export async function up(context: CommandContext, flags: UpFlags): Promise<void> {
  const { output } = context;
  const asked = parseClusterFlags({ ...flags, name: await chooseCluster(context.paths, flags.name) });
  const timeoutSeconds = parseSeconds(flags.timeout ?? '30m', '--timeout');
  const begun = Date.now();
  await using(await ensureHost(context.paths, context.application), async (host) => {
    const existing = (await host.call((rpc) => rpc.clusters.list.query())).find(({ name }) => name === asked.name);
    if (existing) {
      refuseChange(existing, asked);
      await host.call((rpc) => rpc.clusters.start.mutate({ name: asked.name }));
    } else {
      await host.call((rpc) => rpc.clusters.create.mutate(completeRequest(asked)));
    }
    output.progress(`${existing ? 'Starting' : 'Creating'} cluster ${asked.name}.`);
    const view = await interruptible(output, () => settled({ host, name: asked.name, timeoutSeconds, output }));
    if (flags.json) return output.print(json(view));
    const seconds = ((Date.now() - begun) / 1000).toFixed(0);
    output.print(usageText(view, { seconds, window: windowUrl(host.file) }));
  });
}

/** Ctrl-C ends the waiting, not the work: a person must be told so. */
async function interruptible<T>(output: Output, work: () => Promise<T>): Promise<T> {
  const leave = () => {
    output.progress(
      `\nThe cluster goes on in the background: ${commandName()} status shows it, ${commandName()} down stops it.`,
    );
    process.exit(exitCodes.interrupted);
  };
  process.once('SIGINT', leave);
  try {
    return await work();
  } finally {
    process.removeListener('SIGINT', leave);
  }
}

/** The view once it is running; throws what it failed with. */
async function settled(wait: {
  host: HostConnection;
  name: string;
  timeoutSeconds: number;
  output: Output;
}): Promise<ClusterView> {
  const seen: { view?: ClusterView } = {};
  const follow = wait.host.follow<ClusterView[]>(
    (rpc, observer) => rpc.clusters.watch.subscribe(undefined, observer),
    (views) => {
      const view = views.find(({ name }) => name === wait.name);
      if (!view) {
        seen.view = undefined;
        return true;
      }
      for (const line of stepLines(seen.view, view)) wait.output.progress(line);
      seen.view = view;
      return view.state === 'running' || view.state === 'failed' || view.state === 'stopped';
    },
  );
  await within(
    {
      ms: wait.timeoutSeconds * 1000,
      late: `cluster ${wait.name} was not running`,
      hint: `It goes on in the background: ${commandName()} status shows how far it is. A longer wait: --timeout 60m.`,
    },
    () => follow,
  );
  const view = seen.view;
  if (view?.state === 'running') return view;
  if (!view) {
    throw new PilothouseError({
      code: 'CLUSTER_NOT_FOUND',
      message: `cluster ${wait.name} was deleted meanwhile`,
      hint: `${commandName()} up makes a new one.`,
    });
  }
  if (view.state === 'stopped') {
    throw new PilothouseError({
      code: 'CLUSTER_STOPPED',
      message: `cluster ${wait.name} was stopped meanwhile`,
      hint: `${commandName()} up --name ${wait.name} goes on from there.`,
    });
  }
  throw new PilothouseError({
    code: 'CLUSTER_FAILED',
    message: `cluster ${wait.name} did not come up: ${view.failure ?? `it is ${view.state}`}`,
    // What the failed step advises stands with that step.
    hint: 'Run the same command again to go on from there.',
    details: { cluster: view },
  });
}

/** A cluster's size, and where its state is kept, are decided when it is made. */
function refuseChange(existing: ClusterView, asked: ReturnType<typeof parseClusterFlags>): void {
  const [first] = existing.machines;
  const facts: [string, number | string | undefined, number | string | undefined][] = [
    ['--nodes', asked.nodes, existing.machines.length],
    ['--cpus', asked.cpus, first?.cpus],
    ['--memory', asked.memoryMiB, first?.memoryMiB],
    ['--disk', asked.diskGiB, first?.diskGiB],
    ['--etcd-servers', asked.etcd?.endpoints.join(','), existing.etcd?.endpoints.join(',') ?? 'a store of its own'],
    ['--etcd-cafile', asked.etcd?.caFile, existing.etcd?.caFile],
    ['--etcd-certfile', asked.etcd?.certFile, existing.etcd?.certFile],
    ['--etcd-keyfile', asked.etcd?.keyFile, existing.etcd?.keyFile],
  ];
  for (const [flag, wanted, present] of facts) {
    if (wanted === undefined || wanted === present) continue;
    throw badUsage(
      `${flag} ${wanted}: cluster ${existing.name} was made with ${present ?? 'none'}, which cannot be changed`,
      `Leave ${flag} away, delete the cluster first, or give another --name.`,
    );
  }
}

function usageText(view: ClusterView, facts: { seconds: string; window: string }): string {
  const nodes = view.machines.length === 1 ? '1 node' : `${view.machines.length} nodes`;
  return [
    `Cluster ${view.name} is running with ${nodes}, Ready after ${facts.seconds} s.`,
    '',
    `  kubectl --kubeconfig ${view.kubeconfigPath} get nodes`,
    `  ${commandName()} kubeconfig --merge --name ${view.name}   (adds context pilothouse-${view.name} to your kubeconfig)`,
    `  ${commandName()} image load NAME-or-tar`,
    `  ${commandName()} down`,
    '',
    `Window: ${facts.window}`,
  ].join('\n');
}

export async function down(context: CommandContext, flags: { name?: string }): Promise<void> {
  const name = await chooseCluster(context.paths, flags.name);
  await using(await connectHost(context.paths), async (host) => {
    context.output.progress(`Stopping cluster ${name}.`);
    await host.call((rpc) => rpc.clusters.stop.mutate({ name }));
    context.output.print(`Cluster ${name} is stopped. "${commandName()} up" brings it back as it was.`);
  });
}

export async function status(context: CommandContext, flags: { name?: string; json?: boolean }): Promise<void> {
  const name = flags.name === undefined ? undefined : parseClusterName(flags.name);
  await using(await connectHost(context.paths), async (host) => {
    const all = await host.call((rpc) => rpc.clusters.list.query());
    const clusters = name === undefined ? all : all.filter((cluster) => cluster.name === name);
    if (name !== undefined && clusters.length === 0) throw notFound(name, all);
    const info = await host.call((rpc) => rpc.host.info.query());
    if (flags.json) return context.output.print(json({ host: { ...info, url: host.file.url }, clusters }));
    const missing = info.requirements.filter((requirement) => !requirement.ok);
    context.output.print(
      [
        `Host: Pilothouse ${info.version}, ${info.shell}, ${host.file.url} (process ${host.file.pid}, ${Math.round(info.residentBytes / 1024 / 1024)} MiB resident)`,
        ...missing.map((item) => `  ${item.fatal ? 'missing' : 'note'}: ${item.description}. ${item.hint ?? ''}`),
        '',
        describeClusters(clusters),
      ].join('\n'),
    );
  });
}

export async function remove(
  context: CommandContext,
  flags: { name?: string; yes?: boolean; confirm: (question: string) => Promise<boolean> },
): Promise<void> {
  const name = await chooseCluster(context.paths, flags.name);
  await using(await connectHost(context.paths), async (host) => {
    const all = await host.call((rpc) => rpc.clusters.list.query());
    if (!all.some((cluster) => cluster.name === name)) throw notFound(name, all);
    const question = `Delete cluster ${name} with its machines and all their data?`;
    if (!flags.yes && !(await flags.confirm(question))) {
      throw badUsage('nothing was deleted', 'Answer "yes", or give --yes.');
    }
    await host.call((rpc) => rpc.clusters.delete.mutate({ name }));
    context.output.print(`Cluster ${name} is deleted.`);
  });
}

export async function loadImage(
  context: CommandContext,
  request: { source: string; cluster?: string; name?: string; json?: boolean },
): Promise<void> {
  const cluster = await chooseCluster(context.paths, request.cluster, { flag: '--cluster' });
  const source = (await isFile(request.source)) ? resolve(request.source) : request.source;
  await using(await connectHost(context.paths), async (host) => {
    const result = await host.call((rpc) => rpc.clusters.loadImage.mutate({ cluster, source, name: request.name }));
    if (request.json) context.output.print(json(result));
    else {
      for (const node of result.nodes) {
        context.output.print(`${node.name}: ${node.loaded ? `has ${result.image}` : `failed: ${node.failure}`}`);
      }
    }
    const failed = result.nodes.filter((node) => !node.loaded);
    if (failed.length === 0) return;
    throw new PilothouseError({
      code: 'IMAGE_NOT_LOADED',
      message: `${result.image} was not loaded into ${failed.map((node) => node.name).join(', ')}`,
      hint: 'Run the same command again when these nodes are Ready.',
    });
  });
}

export async function stopHost(context: CommandContext): Promise<void> {
  const file = await findHost(context.paths);
  if (!file) return context.output.print('No host is running.');
  await using(await connectHost(context.paths), async (host) => {
    context.output.progress('Stopping every cluster, then the host.');
    await host.call((rpc) => rpc.host.shutdown.mutate());
  });
  context.output.print('The host ended.');
}

export function notFound(name: string, all: readonly ClusterView[]): PilothouseError {
  const names = all.map((cluster) => cluster.name).join(', ');
  return new PilothouseError({
    code: 'CLUSTER_NOT_FOUND',
    message: `there is no cluster named ${name}`,
    hint: names ? `There are: ${names}.` : `Create one first: ${commandName()} up`,
  });
}

/** Runs the work and closes the connection, however it ends. */
export async function using<T>(host: HostConnection, work: (host: HostConnection) => Promise<T>): Promise<T> {
  try {
    return await work(host);
  } finally {
    host.close();
  }
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile();
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}
