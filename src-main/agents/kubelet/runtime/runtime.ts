// What the kubelet asks of a container engine. One implementation (Docker); tests of planners use plain observations.

import type { Readable } from 'node:stream';
import type { ContainerCreateOptions } from 'dockerode';
import { PilothouseError } from '../../../kit';
import type { PodIdentity } from './names';

export interface ContainerObservation {
  id: string;
  name: string;
  type: 'sandbox' | 'container';
  attempt: number;
  /** `created` = made but never started; a failed start is `exited` with `startError`. */
  state: 'created' | 'running' | 'exited';
  pid: number;
  exitCode: number;
  oomKilled: boolean;
  startError: string;
  /** Milliseconds since the epoch; 0 = never. */
  createdAt: number;
  startedAt: number;
  finishedAt: number;
  /** As the Pod spelled it. */
  image: string;
  /** docker-pullable://… or docker://sha256:… */
  imageId: string;
  hash: string;
  sandboxId: string;
  ip: string;
  labels: Record<string, string>;
  tty: boolean;
}

/** Newest first in both lists. */
export interface PodObservation extends PodIdentity {
  sandboxes: ContainerObservation[];
  containers: ContainerObservation[];
}

export interface ImageFacts {
  id: string;
  /** The form a ContainerStatus shows. */
  imageId: string;
  user: string;
}

export interface ExecResult {
  exitCode: number;
  output: string;
}

export interface LogOptions {
  follow: boolean;
  tail?: number;
  /** Seconds since the epoch, fractions allowed. */
  since?: number;
  timestamps: boolean;
  signal: AbortSignal;
}

export interface EngineFacts {
  version: string;
  imageCount: number;
}

export interface RuntimeEvent {
  podUid: string;
  action: string;
}

export interface NetworkFacts {
  id: string;
  subnet: string;
  containers: number;
}

/** Methods throw RuntimeError; a missing container is not an error where the wished state is "gone". */
export interface ContainerRuntime {
  facts(): Promise<EngineFacts>;
  listPods(): Promise<PodObservation[]>;
  observePod(identity: PodIdentity): Promise<PodObservation>;
  /** Container ID to state for every container of ours: cheap, for noticing changes. */
  listStates(): Promise<Map<string, { podUid: string; state: string }>>;
  create(name: string, options: ContainerCreateOptions): Promise<string>;
  start(id: string): Promise<void>;
  /** A signal to a container that is not running is no error. */
  signal(id: string, signal: string): Promise<void>;
  /** Sends the image's stop signal, waits `graceSeconds`, then kills; resolves when it is stopped or gone. */
  stop(id: string, graceSeconds: number): Promise<void>;
  remove(id: string): Promise<void>;
  exec(id: string, command: readonly string[], timeoutMs: number): Promise<ExecResult>;
  logs(container: ContainerObservation, options: LogOptions): Promise<Readable>;
  image(reference: string): Promise<ImageFacts | undefined>;
  images(): Promise<{ names: string[]; sizeBytes: number }[]>;
  pull(reference: string, options: { signal: AbortSignal; auth?: RegistryAuth }): Promise<void>;
  importArchive(archive: string, options: { reference: string; changes: string[] }): Promise<void>;
  network(name: string): Promise<NetworkFacts | undefined>;
  createNetwork(
    name: string,
    options: { subnet: string; gateway: string; device: string; mtu?: number },
  ): Promise<void>;
  removeNetwork(name: string): Promise<void>;
  /** Lives until the signal aborts or the engine ends the stream. */
  events(signal: AbortSignal): AsyncIterable<RuntimeEvent>;
}

export interface RegistryAuth {
  username?: string;
  password?: string;
  auth?: string;
  serveraddress?: string;
  identitytoken?: string;
}

export type RuntimeFailure = 'not-found' | 'conflict' | 'unavailable' | 'refused';

export class RuntimeError extends PilothouseError {
  constructor(
    readonly failure: RuntimeFailure,
    message: string,
    cause?: unknown,
  ) {
    super({ code: `RUNTIME_${failure.toUpperCase().replace('-', '_')}`, message, cause, retryable: true });
  }

  static is(error: unknown, failure: RuntimeFailure): error is RuntimeError {
    return error instanceof RuntimeError && error.failure === failure;
  }
}
