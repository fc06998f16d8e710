// One machine run by QEMU: its state, its process, its monitor. The state told is what the process really does. A process
// started by an earlier owner of the folder is adopted. What is on disk is MachineFolder's, how QEMU starts `launch`'s.

import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Clock, type Disposable, type Logger, PilothouseError } from '../../kit';
import type { NodeImage } from '../image/image-cache';
import type { AcceleratorVerdict, Machine, MachineSpec, MachineState, SshEndpoint } from '../machine';
import { addressOf, type NodeNetwork } from '../network/address';
import type { NetworkSwitch } from '../network/switch';
import type { ClusterKey } from '../ssh/cluster-key';
import { qemuArguments } from './command-line';
import { ConsoleLog } from './console-log';
import { launchQemu } from './launch';
import { MachineFolder, type MachineRecord } from './machine-folder';
import { QemuMonitor } from './monitor';
import { powerOff } from './power-off';
import { endQemu, findQemu, freePort, hasEnded, residentBytes } from './process';

export interface QemuMachineOptions {
  directory: string;
  network: NodeNetwork;
  key: ClusterKey;
  clusterId: string;
  networkSwitch: NetworkSwitch;
  logger: Logger;
  clock: Clock;
}

const quitDeadlineMs = 5000;
const consoleCheckMs = 20_000;
const startAttempts = 3;

export class QemuMachine implements Machine {
  readonly folder: MachineFolder;
  readonly consoleLog: ConsoleLog;
  private current: MachineState = 'absent';
  private readonly stateListeners = new Set<(state: MachineState) => void>();
  private monitor: QemuMonitor | undefined;
  private pid: number | undefined;
  /** The guest asked for its own power-off, so the end of the process is no failure. */
  private guestShutdown = false;
  private abandoned = false;
  private lastChange: Promise<void> = Promise.resolve();
  private cancelConsoleCheck: (() => void) | undefined;

  constructor(
    private record: MachineRecord,
    private readonly options: QemuMachineOptions,
  ) {
    this.folder = new MachineFolder(options.directory);
    this.consoleLog = new ConsoleLog(this.folder.path('console.log'), options.clock);
  }

  get spec(): MachineSpec {
    return this.record.spec;
  }

  state(): MachineState {
    return this.current;
  }

  nodeAddress(): string {
    return addressOf(this.options.network, this.spec.number);
  }

  async ssh(): Promise<SshEndpoint> {
    const { sshPort, hostKeyFingerprint } = this.record;
    if (sshPort === undefined) {
      throw new PilothouseError({
        code: 'MACHINE_NOT_STARTED',
        message: `${this.spec.name} was never started, so it has no SSH port yet`,
      });
    }
    const { privateKey } = this.options.key;
    return { host: '127.0.0.1', port: sshPort, user: 'root', privateKey, hostKeyFingerprint };
  }

  console(listener: (text: string) => void): Disposable {
    return this.consoleLog.follow(listener);
  }

  onStateChange(listener: (state: MachineState) => void): Disposable {
    this.stateListeners.add(listener);
    return { dispose: () => void this.stateListeners.delete(listener) };
  }

  async usage(): Promise<{ pid: number; residentBytes: number } | undefined> {
    const { pid } = this;
    const bytes = pid === undefined ? undefined : await residentBytes(pid);
    return pid === undefined || bytes === undefined ? undefined : { pid, residentBytes: bytes };
  }

  /** Remembers the host key seen on first contact. */
  async pinHostKey(hostKeyFingerprint: string): Promise<void> {
    this.record = { ...this.record, hostKeyFingerprint };
    await this.save();
  }

  /** Takes over a changed size; it takes effect at the next start. */
  async resize(spec: MachineSpec): Promise<void> {
    if (JSON.stringify(spec) === JSON.stringify(this.spec)) return;
    this.record = { ...this.record, spec };
    if (this.current !== 'absent') await this.save();
  }

  /** Makes the folder and the disk. */
  createDisk(image: NodeImage, signal: AbortSignal): Promise<void> {
    return this.exclusive(() => this.makeDisk(image, signal));
  }

  /** Starts QEMU and connects its monitor and its port of the switch; `starting` until someone reached the guest. */
  start(image: NodeImage, verdict: AcceleratorVerdict, signal: AbortSignal): Promise<void> {
    return this.exclusive(() => this.startProcess(image, verdict, signal));
  }

  /** Power button, pressed again while the guest does not react; then `quit`; then SIGKILL. Returns when it has ended. */
  stop(signal?: AbortSignal): Promise<void> {
    return this.exclusive(() => this.stopProcess(signal));
  }

  /** Pulls the plug and removes everything the machine has on disk. */
  destroy(): Promise<void> {
    return this.exclusive(async () => {
      if (this.pid !== undefined) this.setState('stopping');
      await this.kill();
      if (this.pid !== undefined) this.gone();
      this.consoleLog.dispose();
      await this.folder.remove();
      this.setState('absent');
    });
  }

  private async makeDisk(image: NodeImage, signal: AbortSignal): Promise<void> {
    await this.folder.makeDisk(image, { diskGiB: this.spec.diskGiB, signal });
    await this.save();
    this.setState('stopped');
  }

  /** Looks for a process left running by an earlier owner of this folder and takes it over. */
  async adopt(): Promise<void> {
    this.setState((await this.folder.hasDisk()) ? 'stopped' : 'absent');
    const pid = await findQemu(this.folder.path('qemu.pid'));
    if (pid === undefined) return;
    try {
      await this.attach(pid);
      this.options.logger.info('machine adopted', { machine: this.spec.name, pid });
      const status = (await this.monitor!.execute('query-status')) as { status: string };
      this.setState(status.status === 'paused' ? 'suspended' : 'running');
    } catch (error) {
      this.options.logger.warn('a machine left running cannot be adopted and is ended', {
        machine: this.spec.name,
        pid,
        error,
      });
      await this.kill(pid);
      this.setState('stopped');
    }
  }

  private async startProcess(image: NodeImage, verdict: AcceleratorVerdict, signal: AbortSignal): Promise<void> {
    await this.folder.make();
    const sockets = await this.folder.sockets();
    this.consoleLog.trim();
    for (let attempt = 1; ; attempt += 1) {
      signal.throwIfAborted();
      const sshPort = await freePort(this.record.sshPort);
      this.record = { ...this.record, sshPort };
      await this.save();
      await Promise.all(['network.sock', 'qmp.sock'].map((name) => rm(join(sockets, name), { force: true })));
      this.guestShutdown = false;
      this.setState('starting');
      try {
        return await this.launch(sockets, image, verdict);
      } catch (error) {
        this.setState('failed');
        // Between choosing the port and QEMU's taking it someone else may have.
        if (attempt === startAttempts || (await freePort(sshPort)) === sshPort) throw error;
      }
    }
  }

  /** Called when the guest answered over SSH. */
  reached(): void {
    if (this.current === 'starting') this.setState('running');
  }

  async suspend(): Promise<void> {
    await this.requireMonitor().execute('stop');
  }

  async resume(): Promise<void> {
    await this.requireMonitor().execute('cont');
  }

  private async stopProcess(signal?: AbortSignal): Promise<void> {
    if (this.pid === undefined) {
      if (this.current === 'failed') this.setState('stopped');
      return;
    }
    const pid = this.pid;
    const { clock, logger } = this.options;
    if (this.current === 'suspended') await this.command('cont');
    this.setState('stopping');
    await powerOff({
      machine: this.spec.name,
      pid,
      pidFile: this.folder.path('qemu.pid'),
      command: (name) => this.command(name),
      signal,
      logger,
      clock,
    });
    if (this.pid === pid) this.gone();
  }

  /** Ends the process at once, as pulling the plug. */
  private kill(pid = this.pid): Promise<void> {
    return endQemu(this.folder.path('qemu.pid'), { pid, clock: this.options.clock });
  }

  /** Lets go without ending the process. */
  detach(): void {
    this.abandoned = true;
    this.cancelConsoleCheck?.();
    this.monitor?.dispose();
    this.consoleLog.dispose();
    this.options.networkSwitch.detach(this.spec.name);
    this.stateListeners.clear();
  }

  /** One change of the process or the disk at a time: an interrupted start is over before the stop that follows it. */
  private exclusive<T>(work: () => Promise<T>): Promise<T> {
    const result = this.lastChange.then(work);
    this.lastChange = result.then(
      () => undefined,
      () => undefined,
    );
    return result;
  }

  private launch(sockets: string, image: NodeImage, verdict: AcceleratorVerdict): Promise<void> {
    const { options, spec, folder } = this;
    const line = qemuArguments({
      spec,
      accelerator: verdict.accelerator,
      kernel: image.kernel,
      initrd: image.initrd,
      disk: folder.path('disk.qcow2'),
      consoleLog: this.consoleLog.path,
      monitorSocket: join(sockets, 'qmp.sock'),
      networkSocket: join(sockets, 'network.sock'),
      pidFile: folder.path('qemu.pid'),
      sshPort: this.record.sshPort!,
      address: `${this.nodeAddress()}/${options.network.prefixLength}`,
      publicKey: options.key.publicKey,
      clusterId: options.clusterId,
    });
    return launchQemu({
      machine: spec.name,
      folder,
      line,
      attach: (pid) => this.attach(pid),
      logger: options.logger,
      clock: options.clock,
    });
  }

  private async attach(pid: number): Promise<void> {
    const sockets = await this.folder.sockets();
    this.monitor = await QemuMonitor.open(join(sockets, 'qmp.sock'), {
      onEvent: (event) => this.onEvent(event),
      onClose: () => void this.onMonitorClosed(pid),
    });
    this.pid = pid;
    this.boundConsole();
    this.options.networkSwitch.attach(this.spec.name, join(sockets, 'network.sock'));
  }

  /** A guest that never stops printing must not fill the disk of the host. */
  private boundConsole(): void {
    this.cancelConsoleCheck?.();
    this.consoleLog.enforceLimit();
    this.cancelConsoleCheck = this.options.clock.after(consoleCheckMs, () => this.boundConsole());
  }

  private onEvent(event: string): void {
    if (event === 'SHUTDOWN') this.guestShutdown = true;
    else if (event === 'STOP' && this.current !== 'stopping') this.setState('suspended');
    else if (event === 'RESUME' && this.current === 'suspended') this.setState('running');
  }

  private async onMonitorClosed(pid: number): Promise<void> {
    if (this.abandoned || this.pid !== pid) return;
    // The socket closes a moment before the process is gone.
    await this.ended(pid, quitDeadlineMs);
    if (this.pid === pid) this.gone();
  }

  private gone(): void {
    const expected = this.current === 'stopping' || this.guestShutdown;
    this.pid = undefined;
    this.cancelConsoleCheck?.();
    this.monitor?.dispose();
    this.monitor = undefined;
    this.options.networkSwitch.detach(this.spec.name);
    if (!expected) this.options.logger.warn('machine ended unexpectedly', { machine: this.spec.name });
    this.setState(expected ? 'stopped' : 'failed');
  }

  private ended(pid: number, deadlineMs: number): Promise<boolean> {
    return hasEnded(pid, { deadlineMs, clock: this.options.clock });
  }

  /** A monitor command whose failure only means that the process is already going away. */
  private async command(name: string): Promise<void> {
    try {
      await this.monitor?.execute(name);
    } catch (error) {
      this.options.logger.debug('monitor command failed', { machine: this.spec.name, name, error });
    }
  }

  private requireMonitor(): QemuMonitor {
    if (this.monitor) return this.monitor;
    throw new PilothouseError({ code: 'MACHINE_NOT_RUNNING', message: `${this.spec.name} is not running` });
  }

  private setState(state: MachineState): void {
    if (state === this.current) return;
    this.current = state;
    for (const listener of this.stateListeners) listener(state);
  }

  private save(): Promise<void> {
    return this.folder.save(this.record);
  }
}
