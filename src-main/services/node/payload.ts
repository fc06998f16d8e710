// What makes a node of a machine: its certificates, the agents with their configuration and units, and how to tell
// that it is Ready. Node names are `<cluster>-<number>`.

import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { type Lease, type Node, resources } from '../../api';
import { ApiError, type Client } from '../../client';
import { messageOf, PilothouseError, sleep } from '../../kit';
import type { NodeFile, NodePayload } from '../../machines';
import { isMissing } from '../files';
import { renderKubeconfig } from '../kubeconfig';
import type { ClusterPki } from '../pki';
import { guestPaths, kubeletConfiguration, kubeProxyConfiguration } from './agent-configuration';
import { renderUnit } from './units';

export interface NodePayloadRequest {
  cluster: string;
  node: { name: string; address: string };
  /** The API server as guests reach it: https://10.0.2.2:6443. */
  server: string;
  networks: { pod: string; service: string };
  pki: ClusterPki;
  /** Folder with kubelet.mjs and kube-proxy.mjs (out/agents). */
  agentsDirectory: string;
  /** A client that may read nodes. */
  client: Client;
}

export async function createNodePayload(request: NodePayloadRequest): Promise<NodePayload> {
  const { node, pki } = request;
  const certificates = await pki.node(node);
  const bundles = await readBundles(request.agentsDirectory);
  const configuration = {
    nodeAddress: node.address,
    podNetwork: request.networks.pod,
    serviceNetwork: request.networks.service,
  };
  const kubeconfig = (user: { certificate: string; key: string }) =>
    renderKubeconfig({
      entry: request.cluster,
      server: request.server,
      certificateAuthority: pki.ca.certificate,
      user,
    });
  return {
    certificates: [
      { path: guestPaths.ca, content: pki.ca.certificate, mode: 0o644 },
      { path: guestPaths.kubeletCertificate, content: certificates.kubeletServing.certificate, mode: 0o600 },
      { path: guestPaths.kubeletKey, content: certificates.kubeletServing.key, mode: 0o600 },
      { path: guestPaths.kubeletKubeconfig, content: kubeconfig(certificates.kubeletClient), mode: 0o600 },
      { path: guestPaths.kubeProxyKubeconfig, content: kubeconfig(pki.kubeProxy), mode: 0o600 },
    ],
    kubelet: {
      files: [
        { path: guestPaths.kubeletBundle, content: bundles.kubelet, mode: 0o644 },
        ...bundles.extra,
        { path: guestPaths.kubeletConfiguration, content: kubeletConfiguration(configuration), mode: 0o600 },
      ],
      unit: renderUnit({
        description: 'kubelet of Pilothouse',
        bundle: guestPaths.kubeletBundle,
        arguments: [
          `--kubeconfig ${guestPaths.kubeletKubeconfig}`,
          `--config ${guestPaths.kubeletConfiguration}`,
          `--hostname-override ${node.name}`,
        ],
        after: ['docker.service', 'network-online.target'],
        heapMiB: 160,
      }),
    },
    kubeProxy: {
      files: [
        { path: guestPaths.kubeProxyBundle, content: bundles.kubeProxy, mode: 0o644 },
        { path: guestPaths.kubeProxyConfiguration, content: kubeProxyConfiguration(configuration), mode: 0o600 },
      ],
      unit: renderUnit({
        description: 'kube-proxy of Pilothouse',
        bundle: guestPaths.kubeProxyBundle,
        arguments: [
          `--kubeconfig ${guestPaths.kubeProxyKubeconfig}`,
          `--config ${guestPaths.kubeProxyConfiguration}`,
          `--hostname-override ${node.name}`,
        ],
        after: ['network-online.target'],
        heapMiB: 96,
      }),
    },
    ready: (signal) => untilReady({ client: request.client, name: node.name, signal }),
  };
}

/** The agents, and what else the build put beside them for the nodes (the pause image's archive). */
async function readBundles(directory: string) {
  try {
    const others = (await readdir(directory)).filter((name) => name.endsWith('.tar'));
    const extra = await Promise.all(
      others.map(
        async (name): Promise<NodeFile> => ({
          path: `/opt/pilothouse/${basename(name)}`,
          content: await readFile(join(directory, name)),
          mode: 0o644,
        }),
      ),
    );
    return {
      kubelet: await readFile(join(directory, 'kubelet.mjs')),
      kubeProxy: await readFile(join(directory, 'kube-proxy.mjs')),
      extra,
    };
  } catch (error) {
    if (!isMissing(error)) throw error;
    throw new PilothouseError({
      code: 'AGENTS_MISSING',
      message: `the node agents are not built: ${messageOf(error)}`,
      hint: 'Run `npm run build`.',
      cause: error,
    });
  }
}

const pollMs = 300;
const heartbeatNamespace = 'kube-node-lease';

/**
 * Resolves when the Node reports Ready=True and its heartbeat Lease was renewed after the call: a Node that was Ready
 * before its machine went down keeps saying so for a while. Renewal is told by change, not by comparing clocks. The
 * caller's signal is its deadline; the error then tells what the Node said last.
 */
export async function untilReady(request: { client: Client; name: string; signal: AbortSignal }): Promise<void> {
  const { client, name, signal } = request;
  const first = await heartbeat(client, name);
  let last = `Node ${name} has not registered`;
  for (;;) {
    try {
      const node = await client.get<Node>(resources.nodes, { name });
      const condition = node.status?.conditions?.find((item) => item.type === 'Ready');
      if (condition?.status !== 'True') last = notReady(name, condition);
      else if ((await heartbeat(client, name)) !== first) return;
      else last = `Node ${name} was Ready but has sent no new heartbeat`;
    } catch (error) {
      if (!ApiError.is(error, 'NotFound')) last = `Node ${name} cannot be read: ${messageOf(error)}`;
    }
    try {
      await sleep(pollMs, { signal });
    } catch {
      throw new PilothouseError({
        code: 'NODE_NOT_READY',
        message: last,
        cause: signal.reason,
        retryable: true,
      });
    }
  }
}

function notReady(name: string, condition: { status: string; reason?: string; message?: string } | undefined): string {
  if (!condition) return `Node ${name} has no Ready condition yet`;
  return `Node ${name} is not Ready: ${condition.reason ?? condition.status}: ${condition.message ?? ''}`;
}

/** renewTime of the Node's Lease; undefined while there is none or nobody to ask. */
async function heartbeat(client: Client, name: string): Promise<string | undefined> {
  try {
    const lease = await client.get<Lease>(resources.leases, { namespace: heartbeatNamespace, name });
    return lease.spec?.renewTime;
  } catch (error) {
    if (error instanceof PilothouseError) return undefined;
    throw error;
  }
}
