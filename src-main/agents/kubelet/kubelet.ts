// Puts the kubelet together: Docker, the Node object, the Pod network, the Pods, the server and the tunnel. Each runs for
// itself; when one cannot go on (API server away, Docker down) the others do.

import { readFile } from 'node:fs/promises';
import { type Node, type Pod, type Service, resources } from '../../api';
import { ApiError, type Client, EventRecorder, createInformer } from '../../client';
import { type Clock, type Logger, messageOf } from '../../kit';
import { PodNetwork } from '../network/pod-network';
import { apiRetryMaxMs } from '../process/api-retry';
import type { RunCommand } from '../process/command';
import type { ApiAccess } from '../process/kubeconfig';
import { kubernetesVersion } from '../process/version';
import { ImagePuller } from './images/image-puller';
import type { KubeletConfiguration } from './kubelet-configuration';
import { readHealth, readMachineFacts } from './node/machine-facts';
import { NodeRegistrar } from './node/node-registrar';
import { type MachineFacts, nodeLabels, nodeStatus } from './node/node-status';
import { PauseImage } from './node/pause-image';
import { ApiSources } from './pods/api-sources';
import { ContainerStarter } from './pods/container-starter';
import type { NodeContext } from './pods/node-context';
import { PodDirectories } from './pods/pod-directory';
import type { TellPodEvent } from './pods/pod-events';
import { PodManager } from './pods/pod-manager';
import { StatusReporter } from './pods/status-reporter';
import { TerminationMessages } from './pods/termination-messages';
import { Prober } from './probes/prober';
import { DockerRuntime } from './runtime/docker-runtime';
import type { PodIdentity } from './runtime/names';
import { KubeletServer } from './server/server';
import { Tunnel } from './tunnel/tunnel';
import { VolumeMounter } from './volumes/volume-mounter';

export interface KubeletOptions {
  client: Client;
  /** Where the tunnel dials; absent = no tunnel. */
  tunnel?: ApiAccess;
  /** Certificates of the kubelet's own server; absent = no server. */
  tls?: { cert: string | Buffer; key: string | Buffer; ca: string | Buffer };
  nodeName: string;
  configuration: KubeletConfiguration;
  /** Runs `ip`, `iptables-restore`, `mount`; tests put it into a network namespace. */
  run: RunCommand;
  clock: Clock;
  logger: Logger;
}

/** Runs until the signal aborts. Containers go on running. */
export async function runKubelet(options: KubeletOptions, signal: AbortSignal): Promise<void> {
  const { client, nodeName, configuration: config, run, clock, logger } = options;
  const facts = await readMachineFacts('/');
  const nodeIP = config.nodeIP || '127.0.0.1';
  const runtime = new DockerRuntime({ socketPath: config.dockerSocket });
  const recorder = new EventRecorder({ client, component: 'kubelet', host: nodeName, logger, clock });
  const informing = { client, logger, clock, maxBackoffMs: apiRetryMaxMs };
  const ownPods = { resource: resources.pods, fieldSelector: `spec.nodeName=${nodeName}` };
  const podInformer = createInformer<Pod>({ ...informing, ...ownPods });
  const nodeInformer = createInformer<Node>({ ...informing, resource: resources.nodes });
  const serviceInformer = createInformer<Service>({ ...informing, resource: resources.services });

  const network = new PodNetwork({
    nodeName,
    cidr: config.podNetwork.cidr,
    device: config.podNetwork.device,
    mtu: config.podNetwork.mtu,
    nodes: nodeInformer,
    engine: runtime,
    run,
    clock,
    logger: logger.child({ part: 'network' }),
    onChange: () => {
      registrar.poke();
      manager.wakeAll();
    },
  });
  const pause = new PauseImage({ runtime, reference: config.pauseImage, archive: config.pauseArchive, logger });
  const directories = new PodDirectories(config.rootDirectory);
  const tell: TellPodEvent = (pod, { fieldPath, ...event }) => {
    const { name, namespace, uid, resourceVersion } = pod.metadata;
    recorder.record({ kind: 'Pod', apiVersion: 'v1', name, namespace, uid, resourceVersion, fieldPath }, event);
  };
  const node = nodeContext({ options, facts, nodeIP, services: serviceInformer, network, pause, signal });
  const prober = new Prober(runtime);
  const puller = new ImagePuller({ runtime, clock, logger, tell });
  const manager = new PodManager({
    informer: podInformer,
    logger,
    services: {
      runtime,
      puller,
      prober,
      directories,
      node,
      clock,
      logger,
      tell,
      starter: new ContainerStarter({ runtime, puller, prober, directories, node, logger, tell }),
      mounter: new VolumeMounter({ directories, run }),
      statuses: new StatusReporter({ client, clock, logger, signal }),
      messages: new TerminationMessages({ directories, runtime, logger }),
      sourcesOf: (pod) => new ApiSources({ client, pod, logger }),
      refreshMs: config.syncFrequency * 1000,
      async deletePod({ name, namespace, uid }: PodIdentity) {
        try {
          await client.delete(resources.pods, { namespace, name }, { gracePeriodSeconds: 0, preconditions: { uid } });
        } catch (error) {
          if (!(error instanceof ApiError) || ![404, 409].includes(error.statusCode)) throw error;
        }
      },
    },
  });
  let runtimeProblem: string | undefined;
  const registrar = new NodeRegistrar({
    client,
    nodeName,
    labels: { ...nodeLabels(facts, nodeName), ...config.nodeLabels },
    taints: config.registerWithTaints,
    updateMs: config.nodeStatusUpdateFrequency * 1000,
    reportMs: config.nodeStatusReportFrequency * 1000,
    leaseSeconds: config.nodeLeaseDurationSeconds,
    clock,
    logger,
    async status(old) {
      let dockerVersion = old?.nodeInfo?.containerRuntimeVersion.replace('docker://', '') ?? 'unknown';
      let images = (old?.images ?? []) as { names: string[]; sizeBytes: number }[];
      try {
        [dockerVersion, images] = [(await runtime.facts()).version, await runtime.images()];
        runtimeProblem = undefined;
      } catch (error) {
        runtimeProblem = `container runtime is down: ${messageOf(error)}`;
      }
      const health = { ...(await readHealth('/')), runtimeProblem, networkProblem: network.problem };
      const { maxPods, port } = config;
      return nodeStatus({
        facts,
        health,
        dockerVersion,
        nodeIP,
        nodeName,
        maxPods,
        port,
        images,
        now: clock.now(),
        old,
      });
    },
  });
  const { cidr, serviceCIDR } = config.podNetwork;
  const tunnel =
    options.tunnel &&
    new Tunnel({
      access: options.tunnel,
      nodeName,
      kubeletPort: config.port,
      networks: [cidr, serviceCIDR],
      clock,
      logger: logger.child({ part: 'tunnel' }),
    });
  const server =
    options.tls &&
    new KubeletServer({
      tls: options.tls,
      address: config.address,
      port: config.port,
      runtime,
      pods: () => manager.pods(),
      problem: () => runtimeProblem,
      logger: logger.child({ part: 'server' }),
    });
  const port = await server?.listen();
  logger.info('kubelet started', { node: nodeName, nodeIP, port, version: kubernetesVersion });
  await Promise.all([
    podInformer.start(signal),
    nodeInformer.start(signal),
    serviceInformer.start(signal),
    network.run(signal),
    ...(config.registerNode ? [registrar.run(signal)] : []),
    manager.run(signal),
    tunnel?.run(signal),
  ]);
  await server?.close();
}

interface NodeContextInput {
  options: KubeletOptions;
  facts: MachineFacts;
  nodeIP: string;
  services: ReturnType<typeof createInformer<Service>>;
  network: PodNetwork;
  pause: PauseImage;
  signal: AbortSignal;
}

function nodeContext(input: NodeContextInput): NodeContext {
  const { configuration, nodeName } = input.options;
  const { facts, services, network, pause, signal } = input;
  return {
    name: nodeName,
    ip: input.nodeIP,
    memoryBytes: facts.memoryBytes,
    oomScoreFloor: facts.oomScoreFloor,
    allocatable: {
      cpu: String(facts.cpus),
      memory: String(facts.memoryBytes),
      'ephemeral-storage': String(facts.diskBytes),
    },
    clusterDNS: configuration.clusterDNS,
    clusterDomain: configuration.clusterDomain,
    resolvConf: () => readFile(configuration.resolvConf, 'utf8'),
    async services() {
      await services.waitForSync(signal);
      return services.lister.list();
    },
    podNetwork: () => network.name,
    pauseImage: () => pause.ensure(),
    sandboxAttached: () => network.enableHairpin(),
  };
}
