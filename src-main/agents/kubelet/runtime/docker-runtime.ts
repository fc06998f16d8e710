// The Docker engine as a ContainerRuntime, over its UNIX socket. Two connections: calls with an idle timeout, and
// streams (events, followed logs, waits, pulls) without.

import type { Readable } from 'node:stream';
import Docker from 'dockerode';
import type { ContainerCreateOptions, ContainerInspectInfo } from 'dockerode';
import { messageOf } from '../../../kit';
import { demultiplex } from './demultiplex';
import { groupByPod, observationOf } from './docker-observation';
import { type PodIdentity, labels } from './names';
import { type ContainerObservation, type ContainerRuntime, type LogOptions, RuntimeError } from './runtime';
import type { EngineFacts, ExecResult, ImageFacts, NetworkFacts, PodObservation, RuntimeEvent } from './runtime';
import type { RegistryAuth } from './runtime';

const callTimeoutMs = 120_000;
const maxExecOutput = 10_240;

/** Docker's HTTP status as a RuntimeError. */
function translated(error: unknown): RuntimeError {
  if (error instanceof RuntimeError) return error;
  const { statusCode, json } = error as { statusCode?: number; json?: { message?: string } };
  const message = json?.message ?? messageOf(error);
  if (statusCode === 404) return new RuntimeError('not-found', message, error);
  if (statusCode === 409) return new RuntimeError('conflict', message, error);
  return new RuntimeError(statusCode === undefined ? 'unavailable' : 'refused', message, error);
}

async function call<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw translated(error);
  }
}

/** As `call`, but a missing thing answers undefined. */
async function callIfFound<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    const failure = translated(error);
    if (failure.failure === 'not-found') return undefined;
    throw failure;
  }
}

export class DockerRuntime implements ContainerRuntime {
  private readonly docker: Docker;
  private readonly streams: Docker;

  constructor(options: { socketPath: string }) {
    this.docker = new Docker({ socketPath: options.socketPath, timeout: callTimeoutMs });
    this.streams = new Docker({ socketPath: options.socketPath });
  }

  facts(): Promise<EngineFacts> {
    return call(async () => {
      const [version, info] = await Promise.all([this.docker.version(), this.docker.info()]);
      return { version: version.Version, imageCount: (info as { Images: number }).Images };
    });
  }

  async listPods(): Promise<PodObservation[]> {
    return groupByPod(await this.inspectAll([labels.podUid]));
  }

  async observePod(identity: PodIdentity): Promise<PodObservation> {
    const [pod] = groupByPod(await this.inspectAll([`${labels.podUid}=${identity.uid}`]));
    return pod ?? { ...identity, sandboxes: [], containers: [] };
  }

  private async inspectAll(label: string[]): Promise<ContainerObservation[]> {
    const list = await call(() => this.docker.listContainers({ all: true, filters: { label } }));
    const found = await Promise.all(
      list.map((entry) => callIfFound<ContainerInspectInfo>(() => this.docker.getContainer(entry.Id).inspect())),
    );
    return found.filter((info) => info !== undefined).map(observationOf);
  }

  async listStates(): Promise<Map<string, { podUid: string; state: string }>> {
    const list = await call(() => this.docker.listContainers({ all: true, filters: { label: [labels.podUid] } }));
    return new Map(list.map(({ Id, State, Labels }) => [Id, { podUid: Labels[labels.podUid]!, state: State }]));
  }

  /** A leftover of an earlier attempt under the same name is removed first, unless it runs. */
  async create(name: string, options: ContainerCreateOptions): Promise<string> {
    const make = () => call(() => this.docker.createContainer({ ...options, name }));
    try {
      return (await make()).id;
    } catch (error) {
      if (!RuntimeError.is(error, 'conflict')) throw error;
      const present = await callIfFound(() => this.docker.getContainer(name).inspect());
      if (present?.State.Running) throw error;
      if (present) await this.remove(present.Id);
      return (await make()).id;
    }
  }

  async start(id: string): Promise<void> {
    await call(() => this.docker.getContainer(id).start());
  }

  async signal(id: string, signal: string): Promise<void> {
    try {
      await callIfFound(() => this.docker.getContainer(id).kill({ signal }));
    } catch (error) {
      if (!RuntimeError.is(error, 'conflict')) throw error;
    }
  }

  async stop(id: string, graceSeconds: number): Promise<void> {
    try {
      await callIfFound(() => this.streams.getContainer(id).stop({ t: Math.max(0, Math.ceil(graceSeconds)) }));
    } catch (error) {
      // 304: it is not running.
      if ((error as { cause?: { statusCode?: number } }).cause?.statusCode !== 304) throw error;
    }
  }

  async remove(id: string): Promise<void> {
    try {
      await callIfFound(() => this.docker.getContainer(id).remove({ force: true, v: true }));
    } catch (error) {
      // "removal of container … is already in progress"
      if (!RuntimeError.is(error, 'conflict')) throw error;
    }
  }

  async exec(id: string, command: readonly string[], timeoutMs: number): Promise<ExecResult> {
    return call(async () => {
      const options = { Cmd: [...command], AttachStdout: true, AttachStderr: true };
      const exec = await this.streams.getContainer(id).exec(options);
      const stream = await exec.start({ Detach: false, Tty: false });
      const chunks: Buffer[] = [];
      let size = 0;
      const output = demultiplex(stream, { tty: false });
      await new Promise<void>((resolve, reject) => {
        const timer = setTimeout(() => {
          stream.destroy();
          const seconds = timeoutMs / 1000;
          reject(new RuntimeError('refused', `command timed out: "${command.join(' ')}" timed out after ${seconds}s`));
        }, timeoutMs);
        output.on('data', (chunk: Buffer) => {
          if (size < maxExecOutput) chunks.push(chunk);
          size += chunk.length;
        });
        output.on('error', reject);
        output.on('close', () => {
          clearTimeout(timer);
          resolve();
        });
      });
      const { ExitCode } = await exec.inspect();
      return { exitCode: ExitCode ?? 0, output: Buffer.concat(chunks).toString('utf8').slice(0, maxExecOutput) };
    });
  }

  async logs(container: ContainerObservation, options: LogOptions): Promise<Readable> {
    const query = {
      follow: options.follow,
      stdout: true,
      stderr: true,
      timestamps: options.timestamps,
      tail: options.tail === undefined ? 'all' : String(options.tail),
      since: options.since ?? 0,
    };
    const request = {
      path: `/containers/${container.id}/logs?`,
      method: 'GET',
      // Always as a stream: dockerode's own call holds a log that is not followed in memory.
      isStream: true,
      abortSignal: options.signal,
      statusCodes: { 200: true, 404: 'no such container', 500: 'server error' },
      options: query,
    };
    const stream = await call(
      () =>
        new Promise<NodeJS.ReadableStream>((resolve, reject) => {
          this.streams.modem.dial(request, (error, answer) =>
            error ? reject(error) : resolve(answer as NodeJS.ReadableStream),
          );
        }),
    );
    return demultiplex(stream, { tty: container.tty });
  }

  async image(reference: string): Promise<ImageFacts | undefined> {
    const info = await callIfFound(() => this.docker.getImage(reference).inspect());
    if (!info) return undefined;
    const digest = info.RepoDigests?.[0];
    const imageId = digest ? `docker-pullable://${digest}` : `docker://${info.Id}`;
    return { id: info.Id, imageId, user: info.Config?.User ?? '' };
  }

  async images(): Promise<{ names: string[]; sizeBytes: number }[]> {
    const list = await call(() => this.docker.listImages());
    return list.map((image) => ({
      names: [...(image.RepoDigests ?? []), ...(image.RepoTags ?? [])].filter((name) => !name.includes('<none>')),
      sizeBytes: image.Size,
    }));
  }

  async pull(reference: string, options: { signal: AbortSignal; auth?: RegistryAuth }): Promise<void> {
    await call(async () => {
      const stream = await this.streams.pull(reference, {
        authconfig: options.auth,
        abortSignal: options.signal,
      });
      await new Promise<void>((resolve, reject) => {
        this.streams.modem.followProgress(stream, (error: Error | null) => (error ? reject(error) : resolve()));
      });
    });
  }

  async importArchive(archive: string, options: { reference: string; changes: string[] }): Promise<void> {
    const [repo, tag = 'latest'] = options.reference.split(/:(?=[^:/]+$)/);
    await call(async () => {
      const stream = await this.streams.importImage(archive, { repo, tag, changes: options.changes });
      await new Promise<void>((resolve, reject) => {
        this.streams.modem.followProgress(stream, (error: Error | null) => (error ? reject(error) : resolve()));
      });
    });
  }

  async network(name: string): Promise<NetworkFacts | undefined> {
    const info = await callIfFound(() => this.docker.getNetwork(name).inspect());
    if (!info) return undefined;
    const subnet = info.IPAM?.Config?.[0]?.Subnet ?? '';
    return { id: info.Id, subnet, containers: Object.keys(info.Containers ?? {}).length };
  }

  async createNetwork(
    name: string,
    options: { subnet: string; gateway: string; device: string; mtu?: number },
  ): Promise<void> {
    await call(() =>
      this.docker.createNetwork({
        Name: name,
        Driver: 'bridge',
        IPAM: { Driver: 'default', Config: [{ Subnet: options.subnet, Gateway: options.gateway }] },
        Options: {
          'com.docker.network.bridge.name': options.device,
          'com.docker.network.bridge.enable_ip_masquerade': 'false',
          ...(options.mtu === undefined ? {} : { 'com.docker.network.driver.mtu': String(options.mtu) }),
        },
      }),
    );
  }

  async removeNetwork(name: string): Promise<void> {
    await callIfFound(() => this.docker.getNetwork(name).remove());
  }

  async *events(signal: AbortSignal): AsyncIterable<RuntimeEvent> {
    const filters = JSON.stringify({
      type: ['container'],
      label: [labels.podUid],
      event: ['start', 'die', 'destroy', 'oom'],
    });
    const stream = await call(() => this.streams.getEvents({ filters, abortSignal: signal }));
    let rest = '';
    for await (const chunk of stream as Readable) {
      const lines = (rest + String(chunk)).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        if (line.trim() === '') continue;
        const event = JSON.parse(line) as { Action: string; Actor: { Attributes: Record<string, string> } };
        const podUid = event.Actor.Attributes[labels.podUid];
        if (podUid) yield { podUid, action: event.Action };
      }
    }
  }
}
