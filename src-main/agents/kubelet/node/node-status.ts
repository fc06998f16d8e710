// The Node object as this kubelet describes it: a pure function of facts about the machine and of what is ready.

import type { Node, NodeCondition, NodeStatus } from '../../../api';
import { kubernetesVersion } from '../../process/version';
import { timeText } from '../pods/pod-status';

export interface MachineFacts {
  hostname: string;
  cpus: number;
  memoryBytes: number;
  /** 0 when this process may not lower a process's score for the out-of-memory killer. */
  oomScoreFloor: number;
  diskBytes: number;
  machineID: string;
  systemUUID: string;
  bootID: string;
  kernelVersion: string;
  osImage: string;
  architecture: string;
}

export interface Health {
  memoryAvailableBytes: number;
  diskAvailableBytes: number;
  /** Share of inodes and process IDs in use, 0..1. */
  processShare: number;
  /** undefined = fine; otherwise why not. */
  runtimeProblem?: string;
  networkProblem?: string;
}

export interface NodeStatusInput {
  facts: MachineFacts;
  health: Health;
  dockerVersion: string;
  nodeIP: string;
  nodeName: string;
  maxPods: number;
  port: number;
  images: { names: string[]; sizeBytes: number }[];
  now: number;
  old?: NodeStatus;
}

const minMemoryBytes = 100 * 2 ** 20;
const minDiskShare = 0.1;
const maxListedImages = 50;

export function nodeLabels(facts: Pick<MachineFacts, 'architecture'>, nodeName: string): Record<string, string> {
  return {
    'beta.kubernetes.io/arch': facts.architecture,
    'beta.kubernetes.io/os': 'linux',
    'kubernetes.io/arch': facts.architecture,
    'kubernetes.io/hostname': nodeName,
    'kubernetes.io/os': 'linux',
  };
}

interface Verdict {
  type: string;
  bad: boolean;
  reasons: readonly [good: string, bad: string];
  messages: readonly [good: string, bad: string];
}

function conditions(input: NodeStatusInput): NodeCondition[] {
  const { health, facts, now } = input;
  const problems = [health.runtimeProblem, health.networkProblem].filter((problem) => problem !== undefined);
  const verdicts: Verdict[] = [
    {
      type: 'MemoryPressure',
      bad: health.memoryAvailableBytes < minMemoryBytes,
      reasons: ['KubeletHasSufficientMemory', 'KubeletHasInsufficientMemory'],
      messages: ['kubelet has sufficient memory available', 'kubelet has insufficient memory available'],
    },
    {
      type: 'DiskPressure',
      bad: health.diskAvailableBytes < facts.diskBytes * minDiskShare,
      reasons: ['KubeletHasNoDiskPressure', 'KubeletHasDiskPressure'],
      messages: ['kubelet has no disk pressure', 'kubelet has disk pressure'],
    },
    {
      type: 'PIDPressure',
      bad: health.processShare > 0.95,
      reasons: ['KubeletHasSufficientPID', 'KubeletHasInsufficientPID'],
      messages: ['kubelet has sufficient PID available', 'kubelet has insufficient PID available'],
    },
  ];
  const make = (type: string, status: string, reason: string, message: string): NodeCondition => {
    const before = input.old?.conditions?.find((condition) => condition.type === type);
    const lastTransitionTime = before?.status === status ? before.lastTransitionTime : timeText(now);
    return { type, status, lastHeartbeatTime: timeText(now), lastTransitionTime, reason, message };
  };
  const pressures = verdicts.map(({ type, bad, reasons, messages }) =>
    make(type, bad ? 'True' : 'False', reasons[bad ? 1 : 0], messages[bad ? 1 : 0]),
  );
  const ready =
    problems.length === 0
      ? make('Ready', 'True', 'KubeletReady', 'kubelet is posting ready status')
      : make('Ready', 'False', 'KubeletNotReady', problems.join(', '));
  const own = [...pressures, ready];
  const foreign = (input.old?.conditions ?? []).filter(({ type }) => !own.some((made) => made.type === type));
  return [...foreign, ...own];
}

const kibibytes = (bytes: number) => `${Math.floor(bytes / 1024)}Ki`;

export function nodeStatus(input: NodeStatusInput): NodeStatus {
  const { facts } = input;
  const capacity = {
    cpu: String(facts.cpus),
    'ephemeral-storage': kibibytes(facts.diskBytes),
    memory: kibibytes(facts.memoryBytes),
    pods: String(input.maxPods),
  };
  return {
    capacity,
    allocatable: {
      ...capacity,
      // What upstream's default hard eviction thresholds keep back: 100 MiB of memory and a tenth of the disk.
      'ephemeral-storage': String(Math.floor(facts.diskBytes * (1 - minDiskShare))),
      memory: kibibytes(facts.memoryBytes - minMemoryBytes),
    },
    conditions: conditions(input),
    addresses: [
      { type: 'InternalIP', address: input.nodeIP },
      { type: 'Hostname', address: input.nodeName },
    ],
    daemonEndpoints: { kubeletEndpoint: { Port: input.port } },
    nodeInfo: {
      machineID: facts.machineID,
      systemUUID: facts.systemUUID,
      bootID: facts.bootID,
      kernelVersion: facts.kernelVersion,
      osImage: facts.osImage,
      containerRuntimeVersion: `docker://${input.dockerVersion}`,
      kubeletVersion: kubernetesVersion,
      kubeProxyVersion: '',
      operatingSystem: 'linux',
      architecture: facts.architecture,
    },
    images: [...input.images].sort((a, b) => b.sizeBytes - a.sizeBytes).slice(0, maxListedImages),
  };
}

/** Whether anything but the heartbeat differs: such a status is worth a write at once. */
export function withoutHeartbeats(status: NodeStatus | undefined): NodeStatus {
  const conditions = status?.conditions?.map((condition) => ({ ...condition, lastHeartbeatTime: undefined }));
  return { ...status, conditions };
}

export function newNode(input: {
  name: string;
  labels: Record<string, string>;
  taints: { key: string; value?: string; effect: string }[];
  status: NodeStatus;
}): Node {
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name: input.name, labels: input.labels },
    spec: input.taints.length > 0 ? { taints: input.taints } : {},
    status: input.status,
  };
}
