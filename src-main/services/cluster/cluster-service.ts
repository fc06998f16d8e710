// ClusterService: all clusters of this computer, by name. Owns the list; each cluster owns itself.

import type { ClusterService, ClusterView, CreateClusterRequest, RequirementView } from '../../contract';
import { AsyncQueue, messageOf, PilothouseError } from '../../kit';
import { commandName } from '../../machines';
import { firstFreePort } from '../files';
import { createImageLoader, type ImageTarget, Uploads } from '../images';
import { checkCapacity } from './capacity';
import { Changes } from './changes';
import { Cluster } from './cluster';
import { type ClusterEnvironment, defaultNetworks } from './environment';
import { type ClusterRecord, recordVersion } from './record';

export interface ClusterServiceOptions {
  environment: ClusterEnvironment;
  /** What this computer needs to run machines, checked now. */
  requirements?: () => Promise<RequirementView[]>;
  /** First port that is tried for an API server. */
  firstApiPort?: number;
}

const watchIntervalMs = 100;

export class Clusters implements ClusterService {
  private readonly clusters = new Map<string, Cluster>();
  private readonly changes = new Changes();
  private readonly uploads: Uploads;
  private readonly loadInto;
  /** Names being created: two creations of one name must not both find it free. */
  private readonly creating = new Map<string, number>();

  constructor(private readonly options: ClusterServiceOptions) {
    const { paths, logger } = options.environment;
    this.uploads = new Uploads({ directory: paths.uploads });
    this.loadInto = createImageLoader({ temporaryDirectory: paths.uploads, logger });
  }

  /** Opens what is on disk and goes on with what was wanted of each cluster. Resolves when all are known. */
  async open(): Promise<void> {
    const { store, logger } = this.options.environment;
    await this.uploads.clean();
    for (const record of await store.list()) {
      const cluster = await this.add(record);
      const report = (error: unknown) =>
        logger.error('a cluster could not be resumed', { cluster: record.name, reason: messageOf(error) });
      const settled = () => {
        if (record.wanted === 'deleted') this.forget(record.name);
      };
      void cluster.resume().then(settled, report);
    }
  }

  /** Stops every cluster without forgetting that it is wanted. */
  async close(): Promise<void> {
    const { logger } = this.options.environment;
    await Promise.all(
      [...this.clusters.values()].map((cluster) =>
        cluster.shutdown().catch((error: unknown) => {
          logger.error('a cluster could not be stopped', { cluster: cluster.name, reason: messageOf(error) });
        }),
      ),
    );
  }

  /** Error CLUSTER_NOT_FOUND (details.field "cluster"). */
  find(name: string): Cluster {
    const cluster = this.clusters.get(name);
    if (cluster) return cluster;
    const names = [...this.clusters.keys()];
    throw new PilothouseError({
      code: 'CLUSTER_NOT_FOUND',
      message: `there is no cluster named ${name}`,
      hint: names.length > 0 ? `There are: ${names.join(', ')}.` : `Create one first: ${commandName()} up`,
      details: { field: 'cluster' },
    });
  }

  async list(): Promise<ClusterView[]> {
    return this.views();
  }

  watch(signal: AbortSignal): AsyncIterable<ClusterView[]> {
    return this.changes.watch({ read: () => this.views(), signal, minIntervalMs: watchIntervalMs });
  }

  async create(request: CreateClusterRequest): Promise<ClusterView> {
    if (this.clusters.has(request.name) || this.creating.has(request.name)) throw alreadyExists(request.name);
    this.creating.set(request.name, 0);
    try {
      await this.checkRequirements(() => true);
      checkCapacity(request, await this.options.environment.capacity());
      const taken = [...this.clusters.values()].map((cluster) => Number(new URL(cluster.server).port));
      const apiPort = await firstFreePort({
        from: this.options.firstApiPort ?? 6443,
        taken: new Set([...taken, ...this.creating.values()]),
      });
      this.creating.set(request.name, apiPort);
      const record = newRecord(request, apiPort);
      await this.options.environment.store.write(record);
      const cluster = await this.add(record);
      void cluster.start();
      return cluster.view();
    } finally {
      this.creating.delete(request.name);
    }
  }

  async start(name: string): Promise<ClusterView> {
    const cluster = this.find(name);
    // What machines of a running cluster take is no reason to refuse, and neither is an image built long ago.
    if (!cluster.isUp()) await this.checkRequirements(({ id }) => id.startsWith('qemu-'));
    const begun = cluster.start();
    // A refusal is known at once; how the start itself ends is seen by `watch`.
    await Promise.race([begun, Promise.resolve()]);
    return cluster.view();
  }

  /** Error REQUIREMENT_MISSING with all of them and what to do, before anything is made. */
  private async checkRequirements(counts: (requirement: RequirementView) => boolean): Promise<void> {
    const all = (await this.options.requirements?.()) ?? [];
    const missing = all.filter((requirement) => requirement.fatal && !requirement.ok && counts(requirement));
    if (missing.length === 0) return;
    throw new PilothouseError({
      code: 'REQUIREMENT_MISSING',
      message: `this computer lacks what Pilothouse needs: ${missing.map(({ description }) => description).join('; ')}`,
      hint: missing.map(({ hint }) => hint ?? '').join('\n'),
      details: { missing: missing.map(({ id }) => id) },
      retryable: true,
    });
  }

  stop(name: string): Promise<void> {
    return this.find(name).stop();
  }

  async delete(name: string): Promise<void> {
    await this.find(name).delete();
    this.forget(name);
  }

  async *console(request: { cluster: string; machine: string }, signal: AbortSignal): AsyncGenerator<{ text: string }> {
    const queue = new AsyncQueue<{ text: string }>();
    const listening = await this.find(request.cluster).console(request.machine, (text) => queue.push({ text }));
    const stop = () => queue.end();
    signal.addEventListener('abort', stop, { once: true });
    try {
      if (!signal.aborted) yield* queue;
    } finally {
      signal.removeEventListener('abort', stop);
      await listening.dispose();
    }
  }

  async kubeconfig(name: string): Promise<string> {
    return this.find(name).kubeconfig();
  }

  async loadImage(request: { cluster: string; source: string; name?: string }) {
    return this.loadInto(request, this.targets(request.cluster));
  }

  async uploadImage(request: Parameters<ClusterService['uploadImage']>[0]) {
    const targets = this.targets(request.cluster);
    const path = await this.uploads.add(request);
    if (path === undefined) return undefined;
    try {
      return await this.loadInto({ source: path, name: request.name }, targets);
    } finally {
      await this.uploads.remove(path);
    }
  }

  private targets(name: string): ImageTarget[] {
    const cluster = this.find(name);
    return cluster.machineNames().map((machine) => ({ name: machine, connect: () => cluster.connect(machine) }));
  }

  private views(): ClusterView[] {
    return [...this.clusters.values()]
      .map((cluster) => cluster.view())
      .sort((a, b) => a.name.localeCompare(b.name, 'en'));
  }

  private async add(record: ClusterRecord): Promise<Cluster> {
    const cluster = await Cluster.open({
      record,
      environment: this.options.environment,
      onChange: () => this.changes.signal(),
    });
    this.clusters.set(record.name, cluster);
    this.changes.signal();
    return cluster;
  }

  private forget(name: string): void {
    this.clusters.delete(name);
    this.changes.signal();
  }
}

function newRecord(request: CreateClusterRequest, apiPort: number): ClusterRecord {
  return {
    version: recordVersion,
    name: request.name,
    createdAt: Date.now(),
    apiPort,
    networks: { ...defaultNetworks },
    ...(request.etcd && { etcd: request.etcd }),
    wanted: 'running',
    provisioned: false,
    machines: Array.from({ length: request.nodes }, (_, index) => ({
      name: `${request.name}-${index + 1}`,
      number: index + 1,
      cpus: request.cpus,
      memoryMiB: request.memoryMiB,
      diskGiB: request.diskGiB,
    })),
  };
}

function alreadyExists(name: string): PilothouseError {
  return new PilothouseError({
    code: 'CLUSTER_EXISTS',
    message: `name: there is a cluster named ${name} already`,
    hint: 'Choose another name, or start the one there is.',
    details: { field: 'name' },
  });
}
