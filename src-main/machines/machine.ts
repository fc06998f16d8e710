// The contract of machines: a driver makes them, provisioning makes nodes of them. Knows nothing of Kubernetes: what is
// to be written into a machine and started there is handed in as files and systemd units.

import type { Disposable } from '../kit';

export type MachineDriverName = 'qemu' | 'ssh';

export interface MachineSpec {
  /** Unique in its cluster, a DNS label; becomes the guest's hostname. */
  name: string;
  /** 1 for the first machine of the cluster: MAC and address on the node network follow from it. */
  number: number;
  cpus: number;
  memoryMiB: number;
  diskGiB: number;
}

export type MachineState = 'absent' | 'stopped' | 'starting' | 'running' | 'stopping' | 'suspended' | 'failed';

export interface SshEndpoint {
  host: string;
  port: number;
  user: string;
  /** PEM of the cluster's private key. */
  privateKey: string;
  /** Pinned on first contact, `SHA256:…`; absent before that. */
  hostKeyFingerprint?: string;
}

export interface Machine {
  readonly spec: MachineSpec;
  state(): MachineState;
  /** Address on the node network, e.g. 192.168.77.1. */
  nodeAddress(): string;
  ssh(): Promise<SshEndpoint>;
  /** Recent serial console text, and what follows until disposed. Survives reboots of the machine. */
  console(listener: (text: string) => void): Disposable;
  /** Called with every new state, also when the machine's process ended by itself. */
  onStateChange(listener: (state: MachineState) => void): Disposable;
  /** Pid and resident bytes of the machine's process when it runs. */
  usage(): Promise<{ pid: number; residentBytes: number } | undefined>;
}

/** The named steps, in order. A window draws one row per step and machine before any of them ran. */
export const provisioningSteps = [
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

export type ProvisioningStepName = (typeof provisioningSteps)[number];

export interface StepFailure {
  code: string;
  message: string;
  hint?: string;
  command?: string;
  exitCode?: number;
  /** The last lines the command printed. */
  outputTail?: string;
}

export interface StepReport {
  machine: string;
  step: ProvisioningStepName;
  status: 'pending' | 'running' | 'done' | 'skipped' | 'failed';
  /** Milliseconds since the epoch. */
  startedAt?: number;
  finishedAt?: number;
  /** What it does right now: "downloading packages", "waiting for the SSH banner". */
  detail?: string;
  failure?: StepFailure;
}

export interface NodeFile {
  /** Absolute path in the guest. */
  path: string;
  content: string | Buffer;
  /** Octal permission bits; directories above are made 0755. */
  mode: number;
}

/** What is to run on the node, computed by the caller (certificates, agents, configuration). */
export interface NodePayload {
  /** Written by the step `certificates`. */
  certificates: NodeFile[];
  /** Written by the step `kubelet`, then its unit is (re)started if anything changed. */
  kubelet: { files: NodeFile[]; unit: string };
  kubeProxy: { files: NodeFile[]; unit: string };
  /** Resolves when the node is Ready; the step `ready` gives it a deadline. */
  ready(signal: AbortSignal): Promise<void>;
}

export interface CommandResult {
  exitCode: number;
  stdout: string;
  stderr: string;
}

/** A command that runs for long: its streams, and its exit code (undefined when the connection was lost). */
export interface StreamingCommand extends Disposable {
  stdin: NodeJS.WritableStream;
  stdout: NodeJS.ReadableStream;
  stderr: NodeJS.ReadableStream;
  exit: Promise<number | undefined>;
}

/** One SSH connection into a machine. */
export interface SshSession extends Disposable {
  /**
   * Runs a shell command to its end; throws COMMAND_FAILED (command, exit code, output tail) unless `allowFailure`.
   * `what` names it in messages ("starting kubelet"), where a script would be unreadable.
   */
  run(
    command: string,
    options?: {
      stdin?: Buffer | NodeJS.ReadableStream;
      deadlineMs?: number;
      allowFailure?: boolean;
      what?: string;
    },
  ): Promise<CommandResult>;
  /** Starts a shell command and hands out its streams; ended by disposing. */
  stream(command: string): Promise<StreamingCommand>;
  /** Writes a file atomically (temporary name, then rename); false when it already had this content and mode. */
  writeFile(file: NodeFile): Promise<boolean>;
}

export interface MachineSetOptions {
  /** Folder of the cluster's machines: one folder each is made below it. */
  directory: string;
  /** Folder shared by all clusters in which built node images are cached by recipe hash. */
  imagesDirectory: string;
  /** Node network, e.g. 192.168.77.0/24. */
  network: string;
}

export interface NetworkStatistics {
  name: string;
  connected: boolean;
  counters: {
    receivedFrames: number;
    receivedBytes: number;
    sentFrames: number;
    sentBytes: number;
    droppedFrames: number;
  };
}

export interface AcceleratorVerdict {
  accelerator: 'kvm' | 'hvf' | 'whpx' | 'tcg';
  /** For a person: "/dev/kvm exists, but the kernel printed nothing within 5 s". */
  reason: string;
}

/** All machines of one cluster. Created by `createMachineSet` of the driver; owns QEMU processes and the switch. */
export interface MachineSet extends Disposable {
  list(): Machine[];
  /**
   * Brings one machine from nothing (or from where it stopped) to a Ready node: runs the steps in order, each checked
   * first and skipped when already true. Safe to run again after any interruption. Throws the failed step's error.
   */
  provision(request: {
    spec: MachineSpec;
    payload: (machine: Machine) => Promise<NodePayload>;
    report: (report: StepReport) => void;
    signal: AbortSignal;
  }): Promise<Machine>;
  connect(name: string): Promise<SshSession>;
  /** Graceful (ACPI power button, then deadline, then kill). Absent machines are no error. */
  stop(name: string, signal?: AbortSignal): Promise<void>;
  /** Freezes a running machine, and lets it go on. */
  suspend(name: string): Promise<void>;
  resume(name: string): Promise<void>;
  /** Frames and bytes that passed each machine's port of the switch. */
  networkStatistics(): NetworkStatistics[];
  /** How machines of this set are run, and why; undefined before the first one was started. */
  accelerator(): AcceleratorVerdict | undefined;
  /** Lets go of the machines without ending them: the next MachineSet of this folder finds them running. */
  detach(): Promise<void>;
  /** Stops every machine, then everything else. */
  dispose(): Promise<void>;
  /** Stops and removes disk and folder. */
  delete(name: string): Promise<void>;
}
