// Machines without any machine, for tests of what is built on them.

import { PilothouseError } from '../kit';
import type { Machine, MachineSet, MachineState } from '../machines';

type UsedMachineSet = Pick<MachineSet, 'list' | 'provision' | 'connect' | 'stop' | 'delete' | 'dispose'>;

/** Machines that are up at once, fail as often as told, or hang until interrupted. */
export class FakeMachines implements UsedMachineSet {
  readonly states = new Map<string, MachineState>();
  readonly calls: string[] = [];
  failures = new Map<string, number>();
  hang = false;

  list(): Machine[] {
    return [...this.states].map(([name, state], index) => ({
      spec: { name, number: index + 1, cpus: 1, memoryMiB: 512, diskGiB: 4 },
      state: () => state,
      onStateChange: () => ({ dispose: () => undefined }),
      nodeAddress: () => `192.168.77.${index + 1}`,
      ssh: () => Promise.reject(new Error('no SSH here')),
      console: (listener) => {
        listener('booting');
        return { dispose: () => undefined };
      },
      usage: () => Promise.resolve(undefined),
    }));
  }
  async provision(request: Parameters<MachineSet['provision']>[0]): Promise<Machine> {
    const { spec, report, signal } = request;
    this.calls.push(`provision ${spec.name}`);
    this.states.set(spec.name, 'running');
    report({ machine: spec.name, step: 'image', status: 'running', startedAt: 1 });
    if (this.hang) {
      await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }));
    }
    report({ machine: spec.name, step: 'image', status: 'done', finishedAt: 2 });
    const left = this.failures.get(spec.name) ?? 0;
    if (left > 0) {
      this.failures.set(spec.name, left - 1);
      const failure = { code: 'MACHINE_BOOT_TIMEOUT', message: 'no console line', hint: 'Look at the console.' };
      report({ machine: spec.name, step: 'boot', status: 'failed', failure });
      throw new PilothouseError(failure);
    }
    return this.list().find((machine) => machine.spec.name === spec.name)!;
  }
  connect(): Promise<never> {
    return Promise.reject(new Error('no SSH here'));
  }
  async stop(name: string): Promise<void> {
    this.calls.push(`stop ${name}`);
    if (this.states.has(name)) this.states.set(name, 'stopped');
  }
  async delete(name: string): Promise<void> {
    this.calls.push(`delete ${name}`);
    this.states.delete(name);
  }
  async dispose(): Promise<void> {
    this.calls.push('dispose');
  }
}
