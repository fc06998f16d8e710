// Starts one container of a Pod: image, environment, files, create, start, postStart hook. What stops it is answered as
// the waiting state a ContainerStatus shows, with the time after which another try makes sense.

import { chmod, mkdir, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Container, ContainerStateWaiting, Pod } from '../../../api';
import { type Logger, messageOf } from '../../../kit';
import { ImageError, type ImagePuller } from '../images/image-puller';
import type { Prober } from '../probes/prober';
import { containerName, identityOf } from '../runtime/names';
import { type ContainerObservation, type ContainerRuntime, RuntimeError } from '../runtime/runtime';
import type { ApiSources } from './api-sources';
import { containerConfig } from './container-config';
import type { DownwardFacts } from './downward';
import { ContainerConfigError, buildEnvironment } from './environment';
import type { NodeContext } from './node-context';
import type { PodDirectories } from './pod-directory';
import { type TellPodEvent, fieldPathOf } from './pod-events';
import type { ContainerStart } from './pod-planner';

export interface ContainerStarterOptions {
  runtime: ContainerRuntime;
  puller: ImagePuller;
  prober: Prober;
  directories: PodDirectories;
  node: NodeContext;
  logger: Logger;
  tell: TellPodEvent;
}

export interface StartRequest {
  pod: Pod;
  start: ContainerStart;
  sandbox: ContainerObservation;
  volumes: ReadonlyMap<string, string>;
  sources: ApiSources;
  facts: DownwardFacts;
  signal: AbortSignal;
}

export interface StartFailure {
  waiting: ContainerStateWaiting;
  retryInMs?: number;
}

const configRetryMs = 10_000;

export class ContainerStarter {
  constructor(private readonly options: ContainerStarterOptions) {}

  /** undefined = it runs. Throws RuntimeError when the engine is away and ApiError when the API server is. */
  async start(request: StartRequest): Promise<StartFailure | undefined> {
    const { pod, start } = request;
    const { runtime, tell } = this.options;
    const { container } = start;
    const about = (type: 'Normal' | 'Warning', reason: string, message: string) =>
      tell(pod, { type, reason, message, fieldPath: fieldPathOf(pod, container.name) });
    let id: string;
    try {
      id = await this.create(request);
    } catch (error) {
      if (error instanceof ImageError) {
        return { waiting: { reason: error.reason, message: error.message }, retryInMs: error.retryInMs };
      }
      if (RuntimeError.is(error, 'unavailable')) throw error;
      if (error instanceof ContainerConfigError || error instanceof RuntimeError) {
        const reason = error instanceof RuntimeError ? 'CreateContainerError' : 'CreateContainerConfigError';
        about('Warning', 'Failed', `Error: ${error.message}`);
        return { waiting: { reason, message: error.message }, retryInMs: configRetryMs };
      }
      throw error;
    }
    about('Normal', 'Created', 'Container created');
    try {
      await runtime.start(id);
    } catch (error) {
      if (RuntimeError.is(error, 'unavailable')) throw error;
      const message = `failed to start container "${container.name}": Error response from daemon: ${messageOf(error)}`;
      about('Warning', 'Failed', `Error: ${message}`);
      return { waiting: { reason: 'RunContainerError', message }, retryInMs: 0 };
    }
    about('Normal', 'Started', 'Container started');
    return this.postStart(request, id);
  }

  private async create(request: StartRequest): Promise<string> {
    const { pod, start, sandbox, sources, facts } = request;
    const { runtime, puller, directories, node } = this.options;
    const { container, attempt } = start;
    const uid = pod.metadata.uid!;
    const image = await puller.ensure({
      pod,
      container,
      signal: request.signal,
      credentials: () => sources.credentials(),
    });
    const environment = await buildEnvironment({ pod, container, services: await node.services(), facts, sources });
    const terminationMessageFile = directories.terminationMessage(uid, container.name, attempt);
    await mkdir(dirname(terminationMessageFile), { recursive: true });
    await writeFile(terminationMessageFile, '', { mode: 0o666 });
    await chmod(terminationMessageFile, 0o666);
    await this.makeSubPaths(container, request);
    const config = containerConfig({
      pod,
      container,
      attempt,
      sandboxId: sandbox.id,
      environment,
      volumes: request.volumes,
      hostsFile: directories.hostsFile(uid),
      resolvConf: directories.resolvConf(uid),
      terminationMessageFile,
      nodeMemory: node.memoryBytes,
      oomScoreFloor: node.oomScoreFloor,
      imageUser: image.user,
      image: image.id,
    });
    return runtime.create(containerName(identityOf(pod), container.name, attempt), config);
  }

  /** A subPath that is not there yet becomes a directory. Docker refuses bind sources that do not exist. */
  private async makeSubPaths(container: Container, request: StartRequest): Promise<void> {
    for (const mount of container.volumeMounts ?? []) {
      const root = request.volumes.get(mount.name);
      if (!mount.subPath || root === undefined) continue;
      const path = join(root, mount.subPath);
      if (!path.startsWith(join(root, '/'))) continue;
      const present = await stat(path).catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return undefined;
        throw error;
      });
      if (!present) await mkdir(path, { recursive: true, mode: 0o755 });
    }
  }

  private async postStart(request: StartRequest, id: string): Promise<StartFailure | undefined> {
    const { pod, start, facts } = request;
    const { prober, runtime, tell } = this.options;
    const { container } = start;
    const hook = container.lifecycle?.postStart;
    if (!hook) return undefined;
    const graceSeconds = pod.spec.terminationGracePeriodSeconds ?? 30;
    let failure: string | undefined;
    try {
      const result = await prober.run(hook, { container, containerId: id, podIP: facts.podIP }, 120_000);
      if (!result.ok) failure = result.output;
    } catch (error) {
      failure = messageOf(error);
    }
    if (failure === undefined) return undefined;
    const message = `PostStartHook failed: ${failure}`;
    const fieldPath = fieldPathOf(pod, container.name);
    tell(pod, { type: 'Warning', reason: 'FailedPostStartHook', message, fieldPath });
    await runtime.stop(id, graceSeconds);
    return { waiting: { reason: 'PostStartHookError', message }, retryInMs: 0 };
  }
}
