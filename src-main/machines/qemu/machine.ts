// One machine run by QEMU: its folder (machine.json, disk.qcow2, console.log, qemu.pid, qemu.log), its process, its monitor.
// The state told is what the process really does. A process started by an earlier owner of the folder is adopted.

import { spawn } from 'node:child_process';
import { mkdir, open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Clock, type Disposable, type Logger, PilothouseError, sleep, withDeadline } from '../../kit';
import { printable, runCommand, tailOf } from '../command';
import type { NodeImage } from '../image/image-cache';
import type { AcceleratorVerdict, Machine, MachineSpec, MachineState, SshEndpoint } from '../machine';
import { addressOf, type NodeNetwork } from '../network/address';
import type { NetworkSwitch } from '../network/switch';
import type { ClusterKey } from '../ssh/cluster-key';
import { qemuArguments, qemuProgram } from './command-line';
import { ConsoleLog } from './console-log';
import { QemuMonitor } from './monitor';
import { findQemu, freePort, isRunning, residentBytes } from './process';
import { makeSocketDirectory } from './socket-directory';

export interface QemuMachineOptions {
  directory: string;
  network: NodeNetwork;
  key: ClusterKey;
  clusterId: string;
  networkSwitch: NetworkSwitch;
  logger: Logger;
  clock: Clock;
}

/** What machine.json holds. */
export interface MachineRecord {
  spec: MachineSpec;
  sshPort?: number;
  hostKeyFingerprint?: string;
}

const startDeadlineMs = 15_000;
const powerdownDeadlineMs = 30_000;
const powerButtonRepeatMs = 6000;
const quitDeadlineMs = 5000;
const pollMs = 100;
const consoleCheckMs = 20_000;
const startAttempts = 3;

export class QemuMachine implements Machine {
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
    this.consoleLog = new ConsoleLog(this.path('console.log'), options.clock);
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

  async hasDisk(): Promise<boolean> {
    return stat(this.path('disk.qcow2')).then(
      () => true,
      () => false,
    );
  }

  /** Makes the folder and an overlay of the requested size over the image's disk. */
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
      await this.removeFolder();
    });
  }

  private async makeDisk(image: NodeImage, signal: AbortSignal): Promise<void> {
    await mkdir(this.options.directory, { recursive: true, mode: 0o700 });
    const partial = this.path('disk.qcow2.new');
    await runCommand(
      ['qemu-img', 'create', '-q', '-f', 'qcow2', '-b', image.disk, '-F', 'raw', partial, `${this.spec.diskGiB}G`],
      { deadlineMs: 30_000, signal },
    );
    await writeFile(this.path('image'), image.hash);
    await rename(partial, this.path('disk.qcow2'));
    await this.save();
    this.setState('stopped');
  }

  /** The recipe hash of the image the disk was made over: the machine must keep booting that image's kernel. */
  async imageHash(): Promise<string | undefined> {
    return readFile(this.path('image'), 'utf8').catch(() => undefined);
  }

  /** Looks for a process left running by an earlier owner of this folder and takes it over. */
  async adopt(): Promise<void> {
    this.setState((await this.hasDisk()) ? 'stopped' : 'absent');
    const pid = await findQemu(this.path('qemu.pid'));
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
    await mkdir(this.options.directory, { recursive: true, mode: 0o700 });
    const sockets = await makeSocketDirectory(this.options.directory);
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
    const deadline = clock.now() + powerdownDeadlineMs;
    let pressAt = 0;
    while (clock.now() < deadline && (await isRunning(pid))) {
      if (signal?.aborted) break;
      if (clock.now() >= pressAt) {
        await this.command('system_powerdown');
        pressAt = clock.now() + powerButtonRepeatMs;
      }
      await sleep(pollMs, { clock });
    }
    if (await isRunning(pid)) {
      logger.warn('the guest ignored the power button; ending QEMU', { machine: this.spec.name });
      await this.command('quit');
      if (!(await this.ended(pid, quitDeadlineMs))) await this.kill(pid);
    }
    if (this.pid === pid) this.gone();
  }

  /** Ends the process at once, as pulling the plug. */
  private async kill(pid = this.pid): Promise<void> {
    if (pid === undefined || (await findQemu(this.path('qemu.pid'))) !== pid) return;
    process.kill(pid, 'SIGKILL');
    await this.ended(pid, quitDeadlineMs);
  }

  private async removeFolder(): Promise<void> {
    this.consoleLog.dispose();
    const sockets = await makeSocketDirectory(this.options.directory);
    await rm(sockets, { recursive: true, force: true });
    await rm(this.options.directory, { recursive: true, force: true });
    this.setState('absent');
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

  private async launch(sockets: string, image: NodeImage, verdict: AcceleratorVerdict): Promise<void> {
    const { options, spec } = this;
    const line = qemuArguments({
      spec,
      accelerator: verdict.accelerator,
      kernel: image.kernel,
      initrd: image.initrd,
      disk: this.path('disk.qcow2'),
      consoleLog: this.consoleLog.path,
      monitorSocket: join(sockets, 'qmp.sock'),
      networkSocket: join(sockets, 'network.sock'),
      pidFile: this.path('qemu.pid'),
      sshPort: this.record.sshPort!,
      address: `${this.nodeAddress()}/${options.network.prefixLength}`,
      publicKey: options.key.publicKey,
      clusterId: options.clusterId,
    });
    await rm(this.path('qemu.pid'), { force: true });
    const log = await open(this.path('qemu.log'), 'w', 0o600);
    let exit: { code: number | null } | undefined;
    try {
      // Its own session: an interrupt typed at the terminal of the host must not reach the machines.
      const child = spawn(qemuProgram, line, { detached: true, stdio: ['ignore', log.fd, log.fd] });
      child.once('error', () => {
        exit = { code: null };
      });
      child.once('exit', (code) => {
        exit = { code };
      });
      child.unref();
      options.logger.debug('QEMU started', { machine: spec.name, command: printable([qemuProgram, ...line]) });
    } finally {
      await log.close();
    }
    const deadline = options.clock.now() + startDeadlineMs;
    for (;;) {
      const pid = await findQemu(this.path('qemu.pid'));
      if (pid !== undefined && !exit) {
        const attached = await this.attach(pid).then(
          () => true,
          () => false,
        );
        if (attached) return;
      }
      if (exit || options.clock.now() > deadline) {
        await this.kill(pid);
        throw await this.startFailure(line, exit?.code ?? undefined);
      }
      await sleep(pollMs, { clock: options.clock });
    }
  }

  private async startFailure(line: string[], exitCode: number | undefined): Promise<PilothouseError> {
    const output = await readFile(this.path('qemu.log'), 'utf8').catch(() => '');
    return new PilothouseError({
      code: 'QEMU_FAILED',
      message: `QEMU for ${this.spec.name} ${exitCode === undefined ? 'did not come up' : `exited with ${exitCode}`}: ${output.trim().split('\n')[0] ?? ''}`,
      hint: 'Read what QEMU printed; not enough free memory and a disk in use by another QEMU are the usual causes.',
      details: { command: printable([qemuProgram, ...line]), exitCode, outputTail: tailOf(output) },
      retryable: true,
    });
  }

  private async attach(pid: number): Promise<void> {
    const sockets = await makeSocketDirectory(this.options.directory);
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

  private async ended(pid: number, deadlineMs: number): Promise<boolean> {
    const { clock } = this.options;
    const deadline = clock.now() + deadlineMs;
    while (await isRunning(pid)) {
      if (clock.now() > deadline) return false;
      await sleep(pollMs, { clock });
    }
    return true;
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

  private async save(): Promise<void> {
    const path = this.path('machine.json');
    await mkdir(this.options.directory, { recursive: true, mode: 0o700 });
    await withDeadline({ ms: 10_000, what: `writing ${path}` }, async () => {
      await writeFile(`${path}.new`, `${JSON.stringify(this.record, undefined, 2)}\n`, { mode: 0o600 });
      await rename(`${path}.new`, path);
    });
  }

  private path(name: string): string {
    return join(this.options.directory, name);
  }
}
