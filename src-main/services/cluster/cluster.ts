// One cluster: a small state machine over its control plane and its machines.
//
//   (written down) → creating → running → stopping → stopped → starting → running …
//                        ↘ failed ↙         any → deleting → gone
//
// Invariants: at most one operation at a time; a second call for the same thing joins it, stop and delete interrupt a
// start, everything else is refused with CLUSTER_BUSY. A start never throws: it ends `running` or `failed` with a
// sentence and the failed step. What the person wants is on disk before anything is done about it.

import type { HttpsClient } from '../../client';
import type { ClusterState, ClusterView } from '../../contract';
import { Backoff, type Disposable, type Logger, messageOf, PilothouseError, sleep } from '../../kit';
import type { Machine, SshSession } from '../../machines';
import { ControlPlaneSupervisor } from '../control-plane';
import { type ClusterPaths, writeFileAtomic } from '../files';
import { contextName, type KubeconfigEntries, kubeconfigEntries, renderKubeconfig } from '../kubeconfig';
import { type ClusterPki, openClusterPki } from '../pki';
import { controlPlaneConfig } from './control-plane-config';
import { type ClusterEnvironment, type ClusterMachines, clientOf } from './environment';
import { provisionMachines } from './provision';
import type { ClusterRecord } from './record';
import { StepBoard } from './step-board';
import { residentBytes } from './usage';

type OperationKind = 'start' | 'stop' | 'delete';

interface Operation {
  kind: OperationKind;
  abort: AbortController;
  done: Promise<void>;
}

export class Cluster {
  private readonly board = new StepBoard();
  private readonly supervisor: ControlPlaneSupervisor;
  private readonly logger: Logger;
  private readonly adminClient: HttpsClient;
  private readonly restarts = new Backoff<string>({ baseMs: 5_000, maxMs: 60_000 });
  private readonly memory = new Map<string, number | undefined>();
  private measured = '';
  private readonly closed = new AbortController();
  private state: ClusterState = 'stopped';
  private failure: string | undefined;
  private operation: Operation | undefined;
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
    void this.watchHealth();
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
    const control = this.supervisor.view();
    const machines = new Map(this.openSet?.list().map((machine) => [machine.spec.name, machine]));
    return {
      name: this.record.name,
      state: this.state,
      createdAt: this.record.createdAt,
      server: this.server,
      kubeconfigPath: this.paths.kubeconfig,
      controlPlane: { ...control, residentBytes: this.memory.get('control-plane') },
      machines: this.record.machines.map((spec) => {
        const machine = machines.get(spec.name);
        return {
          name: spec.name,
          state: machine?.state() ?? 'absent',
          address: machine?.nodeAddress() ?? nodeAddress(this.record.networks.node, spec.number),
          cpus: spec.cpus,
          memoryMiB: spec.memoryMiB,
          diskGiB: spec.diskGiB,
          residentBytes: this.memory.get(spec.name),
          steps: this.board.of(spec.name),
        };
      }),
      failure: this.failure,
    };
  }

  /** Begins (or joins) bringing everything up; resolves when it ended one way or the other. */
  async start(): Promise<void> {
    if (this.operation?.kind === 'start') return this.operation.done;
    if (this.operation) throw this.busy();
    if (this.state === 'running') return;
    return this.begin('start', async (signal) => {
      this.enter(this.record.provisioned ? 'starting' : 'creating');
      try {
        await this.want('running');
        await this.bringUp(signal);
        this.enter('running');
      } catch (error) {
        if (signal.aborted) return;
        this.logger.error('the cluster did not start', { error });
        this.enter('failed', messageOf(error));
      }
    });
  }

  /** Machines first, gracefully, then the control plane. Interrupts a start. */
  async stop(): Promise<void> {
    if (this.operation?.kind === 'stop') return this.operation.done;
    if (this.operation?.kind === 'delete') throw this.busy();
    return this.begin('stop', async () => {
      await this.want('stopped');
      await this.bringDown();
    });
  }

  /** Stops it and removes everything it owns. Interrupts a start or waits for a stop. */
  async delete(): Promise<void> {
    if (this.operation?.kind === 'delete') return this.operation.done;
    return this.begin('delete', async () => {
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
    if (this.operation?.kind === 'delete') await this.operation.done;
    else if (this.operation?.kind === 'stop') await this.operation.done;
    else await this.begin('stop', () => this.bringDown());
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
    const found = (await this.machines()).list().find((item) => item.spec.name === machine);
    return found ? found.console(listener) : { dispose: () => undefined };
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

  private begin(kind: OperationKind, work: (signal: AbortSignal) => Promise<void>): Promise<void> {
    const previous = this.operation;
    previous?.abort.abort(interrupted(kind));
    const abort = new AbortController();
    const run = async () => {
      // The one before has told its own caller how it ended.
      if (previous) await Promise.allSettled([previous.done]);
      await work(abort.signal);
    };
    const done = run().finally(() => {
      if (this.operation?.abort === abort) this.operation = undefined;
      this.changed();
    });
    this.operation = { kind, abort, done };
    return done;
  }

  private async bringUp(signal: AbortSignal): Promise<void> {
    for (const { name } of this.record.machines) this.board.reset(name);
    await abortable(this.supervisor.start(), signal);
    await writeFileAtomic(this.paths.kubeconfig, this.kubeconfig());
    const machines = await this.machines();
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
    this.restarts.forget('machines');
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

  /** Looks at machines and memory; a machine that fell over while the cluster runs is brought back. */
  private async watchHealth(): Promise<void> {
    const { signal } = this.closed;
    while (!signal.aborted) {
      try {
        await sleep(this.environment.healthMs ?? 2_000, { signal });
        await this.measure();
        if (this.state !== 'running' || this.operation) continue;
        const down = this.openSet
          ?.list()
          .filter((machine) => machine.state() === 'stopped' || machine.state() === 'failed');
        if (!down || down.length === 0) continue;
        const waitMs = this.restarts.next('machines');
        const names = down.map((machine) => machine.spec.name);
        this.logger.warn('machines went down and are started again', { machines: names, waitMs });
        this.enter('starting', `${names.join(', ')} went down`);
        await sleep(waitMs, { signal });
        if (this.record.wanted === 'running' && !this.operation) await this.start();
      } catch (error) {
        if (!signal.aborted) this.logger.warn('looking at the machines failed', { error });
      }
    }
  }

  /** Memory, and states that changed by themselves. */
  private async measure(): Promise<void> {
    const before = this.measured;
    const { pid } = this.supervisor.view();
    this.memory.set('control-plane', pid === undefined ? undefined : await residentBytes(pid));
    for (const machine of this.openSet?.list() ?? []) {
      this.memory.set(machine.spec.name, (await machine.usage())?.residentBytes);
    }
    const states = this.openSet?.list().map((machine) => machine.state());
    this.measured = JSON.stringify([states, ...this.memory]);
    if (this.measured !== before) this.changed();
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

  private busy(): PilothouseError {
    const verb = { start: 'started', stop: 'stopped', delete: 'deleted' }[this.operation?.kind ?? 'start'];
    return new PilothouseError({
      code: 'CLUSTER_BUSY',
      message: `cluster ${this.name} is being ${verb}`,
      hint: 'Try again when that is done.',
      retryable: true,
    });
  }
}

/** Settles as `work` does, or rejects as soon as the signal aborts; whoever aborts also ends the work. */
function abortable<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    work.then(resolve, reject);
  });
}

function isUp(machine: Machine): boolean {
  return machine.state() !== 'stopped' && machine.state() !== 'absent';
}

function interrupted(by: OperationKind): PilothouseError {
  return new PilothouseError({ code: 'INTERRUPTED', message: `interrupted by a ${by}` });
}

/** 192.168.77.0/24 and 2 → 192.168.77.2 */
function nodeAddress(network: string, number: number): string {
  return network.replace(/\d+\/\d+$/, String(number));
}
