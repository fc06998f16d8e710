// What a provisioning step is, and what it may use of a machine. Steps know no driver: the context is the seam.

import type { Machine, MachineSpec, NodeFile, NodePayload, ProvisioningStepName, SshSession } from '../machine';

/** What a driver lends to the steps for one machine. */
export interface StepDriver {
  validate(spec: MachineSpec): Promise<void>;
  imageReady(): Promise<boolean>;
  prepareImage(onDetail: (detail: string) => void, signal: AbortSignal): Promise<void>;
  diskReady(): Promise<boolean>;
  prepareDisk(signal: AbortSignal): Promise<void>;
  /** Waits until a machine that is stopping has stopped. */
  settled(signal: AbortSignal): Promise<void>;
  /** Starts the machine; resolves when its process runs. */
  boot(onDetail: (detail: string) => void, signal: AbortSignal): Promise<void>;
  /** One try to log in. */
  connect(deadlineMs: number): Promise<SshSession>;
  /** Called once the guest answered. */
  reached(): void;
  /** The last lines of the serial console. */
  consoleTail(): string;
}

export interface StepContext {
  machine: Machine;
  driver: StepDriver;
  signal: AbortSignal;
  /** What earlier steps of this run did that later ones must know. */
  done: { credentialsChanged: boolean };
  detail(text: string): void;
  /** The session all steps share, opened by the step `ssh`. */
  session(): Promise<SshSession>;
  payload(): Promise<NodePayload>;
}

export interface ProvisioningStep {
  name: ProvisioningStepName;
  /** For a person. */
  title: string;
  deadlineMs: number;
  /** What was not so at the deadline, without the time: "dev-2 was not Ready". */
  late: (machine: string) => string;
  /** What to do when it fails without a better hint. */
  hint: (machine: string) => string;
  /** Whether the step's result is already there; must not change anything. */
  check(context: StepContext): Promise<boolean>;
  run(context: StepContext): Promise<void>;
  /** What to show of a failure that brought no output of its own: a log's last lines. */
  diagnose?(context: StepContext): Promise<Diagnosis>;
}

export interface Diagnosis {
  command?: string;
  outputTail: string;
}

export interface UnitPayload {
  files: NodeFile[];
  unit: string;
}
