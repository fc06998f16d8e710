// All QEMU machines of one cluster: their folders, one switch, one key, one provisioning at a time per machine.

import { mkdir, readdir, readFile, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { type Clock, type Logger, PilothouseError, systemClock } from '../../kit';
import { runCommand } from '../command';
import { readHostCapacity } from '../host-capacity';
import { ImageCache, type NodeImage } from '../image/image-cache';
import { defaultRecipeDirectory } from '../image/recipe';
import type { AcceleratorVerdict, Machine, MachineSet, MachineSetOptions, SshSession } from '../machine';
import { networkCapacity, type NodeNetwork, parseNetwork } from '../network/address';
import { NetworkSwitch } from '../network/switch';
import { allSteps } from '../provisioning';
import { runSteps } from '../provisioning/run-steps';
import { sshAttemptMs } from '../provisioning/ssh';
import type { StepDriver } from '../provisioning/step';
import { validateSpec } from '../spec-validation';
import { type ClusterKey, loadClusterKey } from '../ssh/cluster-key';
import { openSession } from '../ssh/session';
import { chooseAccelerator, rememberedVerdict } from './accelerator';
import { QemuMachine } from './machine';
import type { MachineRecord } from './machine-folder';

export interface QemuMachineSetOptions extends MachineSetOptions {
  logger: Logger;
  clock?: Clock;
  /** The recipe of the node image; resources/node-image above this program when absent. */
  recipeDirectory?: string;
  /** The cluster's SSH key file; `ssh_key` in the machines' folder when absent. Made when missing. */
  sshKeyPath?: string;
}

type ProvisionRequest = Parameters<MachineSet['provision']>[0];

interface Running {
  controller: AbortController;
  ended: Promise<unknown>;
}

const sessionDeadlineMs = 20_000;

/** Opens the folder: machines left running by an owner that died are adopted. */
export async function createQemuMachineSet(options: QemuMachineSetOptions): Promise<MachineSet> {
  await mkdir(options.directory, { recursive: true, mode: 0o700 });
  const directory = await realpath(options.directory);
  const key = await loadClusterKey(options.sshKeyPath ?? join(directory, 'ssh_key'));
  const set = new QemuMachineSet({ ...options, directory }, key);
  await set.load();
  return set;
}

class QemuMachineSet implements MachineSet {
  private readonly machines = new Map<string, QemuMachine>();
  private readonly provisioning = new Map<string, Running>();
  private readonly clock: Clock;
  private readonly network: NodeNetwork;
  private readonly networkSwitch: NetworkSwitch;
  private readonly images: ImageCache;
  private verdict: Promise<AcceleratorVerdict> | undefined;
  private knownVerdict: AcceleratorVerdict | undefined;

  constructor(
    private readonly options: QemuMachineSetOptions,
    private readonly key: ClusterKey,
  ) {
    const { logger } = options;
    this.clock = options.clock ?? systemClock;
    this.network = parseNetwork(options.network);
    this.networkSwitch = new NetworkSwitch({ logger, clock: this.clock });
    this.images = new ImageCache({
      directory: options.imagesDirectory,
      recipeDirectory: options.recipeDirectory ?? defaultRecipeDirectory(),
      logger,
      clock: this.clock,
    });
  }

  async load(): Promise<void> {
    for (const entry of await readdir(this.options.directory, { withFileTypes: true })) {
      if (!entry.isDirectory()) continue;
      const text = await readFile(join(this.options.directory, entry.name, 'machine.json'), 'utf8').catch(
        () => undefined,
      );
      if (text === undefined) continue;
      const machine = this.add(JSON.parse(text) as MachineRecord);
      await machine.adopt();
    }
    // Machines adopted here were started with the verdict this host remembers.
    const remembered = this.list().some((machine) => machine.state() === 'running')
      ? await rememberedVerdict(this.options.imagesDirectory)
      : undefined;
    if (remembered) this.knownVerdict = { accelerator: remembered.accelerator, reason: remembered.reason };
  }

  list(): Machine[] {
    return [...this.machines.values()].sort((a, b) => a.spec.number - b.spec.number);
  }

  async provision(request: ProvisionRequest): Promise<Machine> {
    const { spec } = request;
    if (this.provisioning.has(spec.name)) {
      throw new PilothouseError({
        code: 'PROVISIONING_RUNNING',
        message: `${spec.name} is already being provisioned`,
        hint: 'Wait for it, or stop it first.',
      });
    }
    const machine = this.machines.get(spec.name) ?? this.add({ spec });
    const controller = new AbortController();
    const work = this.runSteps(machine, { ...request, signal: AbortSignal.any([request.signal, controller.signal]) });
    const ended = work.then(
      () => undefined,
      () => undefined,
    );
    this.provisioning.set(spec.name, { controller, ended });
    try {
      await work;
      return machine;
    } finally {
      this.provisioning.delete(spec.name);
    }
  }

  async connect(name: string): Promise<SshSession> {
    return this.open(this.require(name), sessionDeadlineMs);
  }

  async stop(name: string, signal?: AbortSignal): Promise<void> {
    await this.interrupt(name);
    await this.machines.get(name)?.stop(signal);
  }

  async delete(name: string): Promise<void> {
    await this.interrupt(name);
    const machine = this.machines.get(name);
    if (!machine) return;
    await machine.destroy();
    this.machines.delete(name);
  }

  suspend(name: string): Promise<void> {
    return this.require(name).suspend();
  }

  resume(name: string): Promise<void> {
    return this.require(name).resume();
  }

  networkStatistics() {
    return this.networkSwitch.statistics();
  }

  accelerator(): AcceleratorVerdict | undefined {
    return this.knownVerdict;
  }

  async detach(): Promise<void> {
    for (const name of this.provisioning.keys()) await this.interrupt(name);
    for (const machine of this.machines.values()) machine.detach();
    this.networkSwitch.dispose();
  }

  async dispose(): Promise<void> {
    await Promise.all([...this.machines.keys()].map((name) => this.stop(name)));
    await this.detach();
  }

  private add(record: MachineRecord): QemuMachine {
    const { directory, logger } = this.options;
    const machine = new QemuMachine(record, {
      directory: join(directory, record.spec.name),
      network: this.network,
      key: this.key,
      clusterId: directory,
      networkSwitch: this.networkSwitch,
      logger,
      clock: this.clock,
    });
    this.machines.set(record.spec.name, machine);
    return machine;
  }

  private require(name: string): QemuMachine {
    const machine = this.machines.get(name);
    if (machine) return machine;
    throw new PilothouseError({ code: 'MACHINE_NOT_FOUND', message: `there is no machine ${name}` });
  }

  /** Ends a provisioning under way before something else happens to its machine. */
  private async interrupt(name: string): Promise<void> {
    const running = this.provisioning.get(name);
    if (!running) return;
    running.controller.abort(
      new PilothouseError({ code: 'ABORTED', message: `${name} was stopped or deleted meanwhile`, retryable: true }),
    );
    await running.ended;
    await this.images.settled();
  }

  private async runSteps(machine: QemuMachine, request: ProvisionRequest): Promise<void> {
    let session: SshSession | undefined;
    let payload: ReturnType<ProvisionRequest['payload']> | undefined;
    try {
      await runSteps({
        steps: allSteps,
        signal: request.signal,
        report: request.report,
        clock: this.clock,
        context: {
          machine,
          driver: this.driver(machine, request),
          done: { credentialsChanged: false },
          session: async () => (session ??= await this.open(machine, sshAttemptMs)),
          payload: () => (payload ??= request.payload(machine)),
        },
      });
    } finally {
      await session?.dispose();
      // A machine that failed before it had a disk leaves nothing behind.
      if (machine.state() === 'absent') this.machines.delete(machine.spec.name);
    }
  }

  private async open(machine: QemuMachine, deadlineMs: number): Promise<SshSession> {
    let seen: string | undefined;
    const session = await openSession({
      endpoint: await machine.ssh(),
      machine: machine.spec.name,
      deadlineMs,
      pin: (fingerprint) => {
        seen = fingerprint;
      },
    });
    if (seen) await this.keepHostKey(machine, { session, fingerprint: seen });
    return session;
  }

  /** A key pinned here but lost in the guest, by a kill in its first seconds, would lock us out for good. */
  private async keepHostKey(machine: QemuMachine, seen: { session: SshSession; fingerprint: string }): Promise<void> {
    try {
      await seen.session.run('sync /etc/ssh/ssh_host_ed25519_key /etc/ssh', {
        what: 'keeping the host key',
        allowFailure: true,
      });
    } catch (error) {
      await seen.session.dispose();
      throw error;
    }
    await machine.pinHostKey(seen.fingerprint);
  }

  private driver(machine: QemuMachine, request: ProvisionRequest): StepDriver {
    let image: NodeImage | undefined;
    const running = () => !['absent', 'stopped', 'failed'].includes(machine.state());
    return {
      validate: async (spec) => {
        if (spec.number !== request.spec.number || this.numberTaken(request.spec.number, spec.name)) {
          throw new PilothouseError({
            code: 'INVALID_MACHINE_SPEC',
            message: `number: ${request.spec.number} belongs to another machine, or ${spec.name} has number ${spec.number}`,
            hint: 'Give each machine a number of its own and keep it.',
            details: { field: 'number' },
          });
        }
        const host = { ...(await readHostCapacity(this.options.directory)), machines: networkCapacity(this.network) };
        validateSpec(request.spec, host, { running: running(), hasDisk: await machine.folder.hasDisk() });
        if (!running()) await machine.resize(request.spec);
      },
      imageReady: async () => {
        image = await this.imageOf(machine);
        return image !== undefined;
      },
      prepareImage: async (onDetail, signal) => {
        image = await this.images.ensure({ onDetail, signal });
      },
      diskReady: () => machine.folder.hasDisk(),
      prepareDisk: (signal) => machine.createDisk(image!, signal),
      settled: (signal) => machine.stop(signal),
      boot: async (onDetail, signal) => {
        onDetail('choosing the accelerator');
        const verdict = await this.chooseAccelerator(image!);
        onDetail(verdict.accelerator === 'tcg' ? 'starting QEMU (emulated)' : `starting QEMU (${verdict.accelerator})`);
        await machine.start(image!, verdict, signal);
      },
      connect: (deadlineMs) => this.open(machine, deadlineMs),
      reached: () => machine.reached(),
      // Read as plain text in a terminal or a page: the colours are for the live console.
      consoleTail: () => stripVTControlCharacters(machine.consoleLog.tail()),
    };
  }

  /** The image a machine boots: the one its disk was made over, for a new machine the present recipe's. */
  private async imageOf(machine: QemuMachine): Promise<NodeImage | undefined> {
    const hash = await machine.folder.imageHash();
    return hash === undefined ? this.images.find() : this.images.findBuilt(hash);
  }

  private numberTaken(number: number, name: string): boolean {
    return [...this.machines.values()].some((other) => other.spec.number === number && other.spec.name !== name);
  }

  private async chooseAccelerator(image: NodeImage): Promise<AcceleratorVerdict> {
    this.verdict ??= chooseAccelerator({
      imagesDirectory: this.options.imagesDirectory,
      kernel: image.kernel,
      logger: this.options.logger,
    }).catch((error: unknown) => {
      this.verdict = undefined;
      throw error;
    });
    this.knownVerdict = await this.verdict;
    return this.knownVerdict;
  }
}

/** Whether this host can run the driver at all, for tests that skip by name. */
export async function canRunQemu(): Promise<boolean> {
  try {
    await runCommand(['qemu-system-x86_64', '--version'], { deadlineMs: 10_000 });
    await runCommand(['mmdebstrap', '--version'], { deadlineMs: 10_000 });
    return true;
  } catch (error) {
    if (error instanceof PilothouseError && error.code === 'COMMAND_NOT_FOUND') return false;
    throw error;
  }
}
