// One cluster: a small state machine over its control plane and its machines.
//
//   (written down) → creating → running → stopping → stopped → starting → running …
//                        ↘ failed ↙         any → deleting → gone
//
// Invariants: a second call for the same thing joins the one under way, stop and delete interrupt a start, everything else is refused with CLUSTER_BUSY. A start never throws: it ends `running` or `failed` with a
// sentence and the failed step. What the person wants is on disk before anything is done about it.

import type { HttpsClient } from '../../client';
import type { ClusterState, ClusterView } from '../../contract';
import { type Disposable, type Logger, messageOf, PilothouseError } from '../../kit';
import type { Machine, SshSession } from '../../machines';
import { ControlPlaneSupervisor } from '../control-plane';
import { type ClusterPaths, writeFileAtomic } from '../files';
import { contextName, type KubeconfigEntries, kubeconfigEntries, renderKubeconfig } from '../kubeconfig';
import { type ClusterPki, openClusterPki } from '../pki';
import { controlPlaneConfig } from './control-plane-config';
import { type ClusterEnvironment, type ClusterMachines, clientOf } from './environment';
import { followConsole } from './follow-console';
import { GuestClocks } from './guest-clocks';
import { Health } from './health';
import { abortable, Operations } from './operations';
import { checkRoom, provisionMachines } from './provision';
import type { ClusterRecord } from './record';
import { StepBoard } from './step-board';
import { viewOf } from './view';

export class Cluster {
  private readonly board = new StepBoard();
  private readonly supervisor: ControlPlaneSupervisor;
  private readonly logger: Logger;
  private readonly adminClient: HttpsClient;
  private readonly operations: Operations;
  private readonly health: Health;
  private readonly closed = new AbortController();
  private state: ClusterState = 'stopped';
  private failure: string | undefined;
  /** Machines fell over while the cluster ran, and are not all back yet. */
  private recovering = false;
  private machineSet: Promise<ClusterMachines> | undefined;
  private openSet: ClusterMachines | undefined;

  private constructor(
    private record: ClusterRecord,
    private readonly pki: ClusterPki,
    private readonly environment: ClusterEnvironment,
    private readonly changed: () => void,
  ) {
    this.logger = environment.logger.child({ cluster: record.name });
    this.supervisor = new ControlPlaneSupervisor({
      cluster: record.name,
      outputFile: this.paths.controlPlaneOutput,
      launch: environment.launchControlPlane,
      config: () => Promise.resolve(this.controlPlaneConfig()),
      logger: this.logger,
      onChange: changed,
    });
    this.adminClient = clientOf(environment, {
      server: this.server,
      ca: pki.ca.certificate,
      cert: pki.admin.certificate,
      key: pki.admin.key,
      userAgent: 'pilothouse',
      deadlineMs: 30_000,
    });
    this.operations = new Operations(record.name, changed);
    this.health = new Health({
      machines: () => this.openSet?.list() ?? [],
      controlPlanePid: () => this.supervisor.view().pid,
      watches: () =>
        (this.state === 'running' || this.recovering) &&
        this.record.wanted === 'running' &&
        this.operations.kind === undefined,
      unfinished: () => this.recovering,
      // Also in the middle of a start: a computer may sleep at any moment.
      connects: () => this.operations.kind === undefined || this.operations.kind === 'start',
      onDown: (names) => {
        this.recovering = true;
        this.enter('starting', `${names.join(', ')} went down`);
      },
      recover: async () => {
        if (this.record.wanted === 'running' && this.operations.kind === undefined) await this.start();
      },
      clocks: new GuestClocks({ connect: (machine) => this.connect(machine), logger: this.logger }),
      onChange: changed,
      logger: this.logger,
      signal: this.closed.signal,
      intervalMs: environment.healthMs ?? 2_000,
      restartMs: environment.restartMs ?? 5_000,
    });
  }

  static async open(request: {
    record: ClusterRecord;
    environment: ClusterEnvironment;
    onChange: () => void;
  }): Promise<Cluster> {
    const pki = await openClusterPki(request.environment.paths.cluster(request.record.name).pki);
    return new Cluster(request.record, pki, request.environment, request.onChange);
  }

  get name(): string {
    return this.record.name;
  }

  get wanted(): ClusterRecord['wanted'] {
    return this.record.wanted;
  }

  get paths(): ClusterPaths {
    return this.environment.paths.cluster(this.record.name);
  }

  get server(): string {
    return `https://127.0.0.1:${this.record.apiPort}`;
  }

  /** Running, or on the way there. */
  isUp(): boolean {
    return this.state === 'running' || this.operations.kind === 'start';
  }

  client(): HttpsClient {
    return this.adminClient;
  }

  kubeconfigEntries(): KubeconfigEntries {
    return kubeconfigEntries(this.kubeconfigRequest());
  }

  kubeconfig(): string {
    return renderKubeconfig(this.kubeconfigRequest());
  }

  view(): ClusterView {
    return viewOf({
      record: this.record,
      state: this.state,
      failure: this.failure,
      server: this.server,
      kubeconfigPath: this.paths.kubeconfig,
      controlPlane: this.supervisor.view(),
      machines: this.openSet?.list() ?? [],
      residentBytes: (name) => this.health.residentBytes(name),
      steps: (name) => this.board.of(name),
    });
  }

  /** Begins (or joins) bringing everything up; resolves when it ended one way or the other. */
  async start(): Promise<void> {
    const joined = this.operations.joined('start');
    if (joined) return joined;
    if (this.operations.kind) throw this.operations.busy();
    if (this.state === 'running') return;
    return this.operations.begin('start', async (signal) => {
      // First of all: who looks from now on must not take the steps of the last time for those of this one.
      for (const { name } of this.record.machines) this.board.reset(name);
      this.enter(this.record.provisioned ? 'starting' : 'creating');
      try {
        await this.want('running');
        await this.bringUp(signal);
        this.enter('running');
      } catch (error) {
        if (signal.aborted) return;
        this.logger.error('the cluster did not start', { error });
        this.enter('failed', sentenceOf(error));
      }
    });
  }

  /** Machines first, gracefully, then the control plane. Interrupts a start. */
  async stop(): Promise<void> {
    const joined = this.operations.joined('stop');
    if (joined) return joined;
    if (this.operations.kind === 'delete') throw this.operations.busy();
    return this.operations.begin('stop', async () => {
      this.recovering = false;
      await this.want('stopped');
      await this.bringDown();
    });
  }

  /** Stops it and removes everything it owns. Interrupts a start or waits for a stop. */
  async delete(): Promise<void> {
    const joined = this.operations.joined('delete');
    if (joined) return joined;
    return this.operations.begin('delete', async () => {
      this.enter('deleting');
      try {
        await this.want('deleted');
        const machines = await this.machines();
        await Promise.all(this.record.machines.map(({ name }) => machines.delete(name)));
        await this.supervisor.stop();
        await this.dispose();
        await this.environment.store.remove(this.name);
      } catch (error) {
        this.enter('failed', `it could not be deleted: ${messageOf(error)}`);
        throw error;
      }
    });
  }

  /** The host ends: stopped, but what the person wants of it stays as it is. */
  async shutdown(): Promise<void> {
    const ending = this.operations.joined('delete') ?? this.operations.joined('stop');
    await (ending ?? this.operations.begin('stop', () => this.bringDown()));
    await this.dispose();
  }

  /** After a restart of the host: goes on with what was wanted of it. */
  async resume(): Promise<void> {
    if (this.record.wanted === 'running') return this.start();
    if (this.record.wanted === 'deleted') return this.delete();
    const machines = await this.machines();
    if (machines.list().some((machine) => isUp(machine))) await this.stop();
  }

  async connect(machine: string): Promise<SshSession> {
    this.findMachine(machine);
    return (await this.machines()).connect(machine);
  }

  /** The machine's serial console: what there is, then what follows. Error MACHINE_NOT_FOUND. */
  async console(machine: string, listener: (text: string) => void): Promise<Disposable> {
    this.findMachine(machine);
    return followConsole(await this.machines(), { machine, listener });
  }

  /** Names of machines that can be reached by SSH now. */
  machineNames(): string[] {
    return this.record.machines.map((machine) => machine.name);
  }

  private findMachine(name: string): void {
    if (this.record.machines.some((machine) => machine.name === name)) return;
    throw new PilothouseError({
      code: 'MACHINE_NOT_FOUND',
      message: `cluster ${this.name} has no machine named ${name}`,
      hint: `It has ${this.machineNames().join(', ')}.`,
      details: { field: 'machine' },
    });
  }

  private async bringUp(signal: AbortSignal): Promise<void> {
    await abortable(this.supervisor.start(), signal);
    await writeFileAtomic(this.paths.kubeconfig, this.kubeconfig());
    const machines = await this.machines();
    await checkRoom({ record: this.record, machines, board: this.board, capacity: this.environment.capacity });
    await provisionMachines({
      record: this.record,
      machines,
      pki: this.pki,
      client: this.adminClient,
      agentsDirectory: this.environment.agentsDirectory,
      board: this.board,
      changed: this.changed,
      signal,
    });
    if (!this.record.provisioned) await this.rewrite({ provisioned: true });
    this.health.settled();
    this.recovering = false;
  }

  private async bringDown(): Promise<void> {
    if (this.state === 'stopped' && !this.openSet?.list().some(isUp)) return this.supervisor.stop();
    this.enter('stopping');
    try {
      const machines = await this.machines();
      await Promise.all(this.record.machines.map(({ name }) => machines.stop(name)));
      await this.supervisor.stop();
      this.enter('stopped');
    } catch (error) {
      this.enter('failed', `it could not be stopped: ${messageOf(error)}`);
      throw error;
    }
  }

  private machines(): Promise<ClusterMachines> {
    this.machineSet ??= this.openMachines().catch((error: unknown) => {
      this.machineSet = undefined;
      throw error;
    });
    return this.machineSet;
  }

  private async openMachines(): Promise<ClusterMachines> {
    const set = await this.environment.createMachineSet({
      directory: this.paths.machines,
      imagesDirectory: this.environment.paths.images,
      network: this.record.networks.node,
      logger: this.logger,
    });
    this.openSet = set;
    return set;
  }

  private async dispose(): Promise<void> {
    this.closed.abort();
    this.adminClient.close();
    await this.openSet?.dispose();
  }

  private enter(state: ClusterState, failure?: string): void {
    this.state = state;
    this.failure = failure;
    this.logger.info('cluster state', { state, ...(failure ? { failure } : {}) });
    this.changed();
  }

  private want(wanted: ClusterRecord['wanted']): Promise<void> {
    return this.rewrite({ wanted });
  }

  private async rewrite(change: Partial<ClusterRecord>): Promise<void> {
    const record = { ...this.record, ...change };
    await this.environment.store.write(record);
    this.record = record;
  }

  private controlPlaneConfig() {
    const { record, paths, pki } = this;
    return controlPlaneConfig({ record, paths, pki, logLevel: this.environment.logLevel });
  }

  private kubeconfigRequest() {
    return {
      entry: contextName(this.name),
      server: this.server,
      certificateAuthority: this.pki.ca.certificate,
      user: this.pki.admin,
    };
  }
}

/** What a person is told when no step tells more: what happened, and what to do. */
function sentenceOf(error: unknown): string {
  const hint = error instanceof PilothouseError && error.code !== 'MACHINES_FAILED' ? error.hint : undefined;
  return hint ? `${messageOf(error)}. ${hint}` : messageOf(error);
}

function isUp(machine: Machine): boolean {
  return machine.state() !== 'stopped' && machine.state() !== 'absent';
}
