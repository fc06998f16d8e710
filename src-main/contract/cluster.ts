// What the window and the CLI know of clusters and their machines.

import { z } from 'zod';

/** DNS label, so that node names and certificate names made of it are valid. */
export const clusterNameSchema = z
  .string()
  .min(1, 'a name is required')
  .max(30, 'at most 30 characters')
  .regex(
    /^[a-z]([-a-z0-9]*[a-z0-9])?$/,
    'lower-case letters, digits and "-"; starts with a letter, ends with a letter or digit',
  );

export const clusterLimits = {
  nodes: { min: 1, max: 20 },
  cpus: { min: 1, max: 64 },
  memoryMiB: { min: 512, max: 262_144 },
  diskGiB: { min: 4, max: 2048 },
} as const;

const bounded = (limits: { min: number; max: number }, unit: string) =>
  z
    .int(`a whole number of ${unit}`)
    .min(limits.min, `at least ${limits.min} ${unit}`)
    .max(limits.max, `at most ${limits.max} ${unit}`);

const endpointSchema = z
  .string()
  .regex(/^https?:\/\/(\[[0-9a-f:.]+\]|[a-z0-9.-]+)(:\d{1,5})?\/?$/i, 'a URL such as https://10.0.0.1:2379');

/** The host reads it, whatever folder a command was given in. */
const fileSchema = z.string().regex(/^(\/|[A-Za-z]:[\\/])/, 'an absolute path');

/** A real etcd to keep the cluster's state in, instead of a store of its own. Files are PEM. */
export const etcdSchema = z
  .object({
    endpoints: z.array(endpointSchema).min(1, 'at least one endpoint is required').max(32, 'at most 32 endpoints'),
    /** Who signed etcd's certificates; the system's authorities when absent. */
    caFile: fileSchema.optional(),
    /** Our own certificate for etcd, with its key. */
    certFile: fileSchema.optional(),
    keyFile: fileSchema.optional(),
  })
  .check(({ value, issues }) => {
    const refuse = (field: string, message: string) =>
      issues.push({ code: 'custom', path: [field], message, input: value });
    if (value.certFile && !value.keyFile) refuse('keyFile', 'the key of the certificate is required');
    if (value.keyFile && !value.certFile) refuse('certFile', 'the certificate of the key is required');
    const secure = value.endpoints.some((endpoint) => /^https:/i.test(endpoint));
    if ((value.caFile || value.certFile) && !secure) refuse('endpoints', 'certificates need https endpoints');
  });
export type EtcdChoice = z.infer<typeof etcdSchema>;

export const createClusterSchema = z.object({
  name: clusterNameSchema,
  nodes: bounded(clusterLimits.nodes, 'nodes').default(2),
  cpus: bounded(clusterLimits.cpus, 'CPUs').default(1),
  memoryMiB: bounded(clusterLimits.memoryMiB, 'MiB').default(1024),
  diskGiB: bounded(clusterLimits.diskGiB, 'GiB').default(10),
  etcd: etcdSchema.optional(),
});
export type CreateClusterRequest = z.infer<typeof createClusterSchema>;
export type CreateClusterInput = z.input<typeof createClusterSchema>;

export const stepNames = [
  'image',
  'disk',
  'boot',
  'ssh',
  'packages',
  'certificates',
  'kubelet',
  'kube-proxy',
  'ready',
] as const;
export type StepName = (typeof stepNames)[number];

export interface StepFailureView {
  code: string;
  message: string;
  hint?: string;
  command?: string;
  exitCode?: number;
  outputTail?: string;
}

export interface StepView {
  step: StepName;
  status: 'pending' | 'running' | 'done' | 'skipped' | 'failed';
  startedAt?: number;
  finishedAt?: number;
  detail?: string;
  failure?: StepFailureView;
}

export interface MachineView {
  name: string;
  state: 'absent' | 'stopped' | 'starting' | 'running' | 'stopping' | 'suspended' | 'failed';
  address: string;
  cpus: number;
  memoryMiB: number;
  diskGiB: number;
  /** Resident bytes of its process on this computer, when it runs. */
  residentBytes?: number;
  steps: StepView[];
}

export type ClusterState = 'creating' | 'starting' | 'running' | 'stopping' | 'stopped' | 'failed' | 'deleting';

export interface ControlPlaneView {
  state: 'stopped' | 'starting' | 'running' | 'restarting' | 'failed';
  pid?: number;
  restarts: number;
  residentBytes?: number;
  /** Why it is not running, when it should be. */
  failure?: string;
}

export interface ClusterView {
  name: string;
  state: ClusterState;
  /** Milliseconds since the epoch. */
  createdAt: number;
  /** Where its state is kept when not in a store of its own. */
  etcd?: EtcdChoice;
  /** https://127.0.0.1:6443 */
  server: string;
  kubeconfigPath: string;
  controlPlane: ControlPlaneView;
  machines: MachineView[];
  /** Why the cluster is `failed`, in one sentence; the failing step says more. */
  failure?: string;
}
