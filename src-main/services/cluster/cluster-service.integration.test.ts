// The life of clusters with a fake control plane process and fake machines, on a real home folder.

import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ClusterState, RequirementView } from '../../contract';
import { silentLogger } from '../../kit';
import { FakeMachines } from '../../testkit/fake-machines';
import type { ControlPlaneProcess, FromControlPlane } from '../control-plane';
import { homePaths, isMissing } from '../files';
import { Clusters } from './cluster-service';
import { createClusterStore } from './record';

function fakeControlPlane(): ControlPlaneProcess {
  let tell: (message: FromControlPlane) => void = () => undefined;
  let exit: (how: string) => void = () => undefined;
  return {
    pid: undefined,
    send: (message) =>
      queueMicrotask(() => (message.type === 'start' ? tell({ type: 'ready', port: 1 }) : exit('exit code 0'))),
    onMessage: (listener) => void (tell = listener),
    onExit: (listener) => void (exit = listener),
    kill: () => exit('killed'),
  };
}

let directory: string;
let machines: FakeMachines;
let clusters: Clusters;
let freeMemoryMiB: number;
let missing: RequirementView[];
const request = { name: 'default', nodes: 2, cpus: 1, memoryMiB: 512, diskGiB: 4 };

async function openClusters(): Promise<Clusters> {
  const paths = homePaths(directory);
  const opened = new Clusters({
    environment: {
      paths,
      store: createClusterStore(paths, silentLogger),
      launchControlPlane: fakeControlPlane,
      createMachineSet: () => Promise.resolve(machines),
      agentsDirectory: directory,
      logger: silentLogger,
      logLevel: 'info',
      healthMs: 20,
      restartMs: 20,
      capacity: () => Promise.resolve({ cpus: 2, memoryMiB: 8192, freeMemoryMiB, freeDiskGiB: 100 }),
    },
    requirements: () => Promise.resolve(missing),
    firstApiPort: 26443,
  });
  await opened.open();
  return opened;
}

async function reach(state: ClusterState, of = clusters): Promise<void> {
  await vi.waitFor(async () => expect((await of.list())[0]?.state).toBe(state), { timeout: 5_000, interval: 5 });
}

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'pilothouse-clusters-'));
  machines = new FakeMachines();
  freeMemoryMiB = 8192;
  missing = [];
  clusters = await openClusters();
});
afterEach(async () => {
  await clusters.close();
  await rm(directory, { recursive: true, force: true });
});

describe('creating a cluster', () => {
  it('is written down at once and comes up', async () => {
    const view = await clusters.create(request);
    expect(view).toMatchObject({ name: 'default', state: 'creating', server: 'https://127.0.0.1:26443' });
    expect(view.machines.map((machine) => machine.name)).toEqual(['default-1', 'default-2']);
    expect(view.machines[0]!.steps).toHaveLength(9);
    await reach('running');
    const record = JSON.parse(await readFile(join(directory, 'clusters/default/cluster.json'), 'utf8'));
    expect(record).toMatchObject({ wanted: 'running', provisioned: true, apiPort: 26443 });
    expect(await readFile(join(directory, 'clusters/default/kubeconfig'), 'utf8')).toContain('pilothouse-default');
  });

  it('refuses a name twice, and what this computer cannot hold, by field', async () => {
    const first = clusters.create(request);
    await expect(clusters.create(request)).rejects.toMatchObject({
      code: 'CLUSTER_EXISTS',
      details: { field: 'name' },
    });
    await first;
    await expect(clusters.create({ ...request, name: 'big', memoryMiB: 8000 })).rejects.toMatchObject({
      code: 'NOT_ENOUGH_MEMORY',
      details: { field: 'memoryMiB' },
    });
    expect(await clusters.list()).toHaveLength(1);
  });

  it('refuses at once when a program is missing, and makes nothing', async () => {
    missing = [{ id: 'qemu-img', description: 'qemu-img makes disks', ok: false, fatal: true, hint: 'apt install it' }];
    await expect(clusters.create(request)).rejects.toMatchObject({
      code: 'REQUIREMENT_MISSING',
      message: expect.stringContaining('qemu-img makes disks'),
      hint: 'apt install it',
    });
    expect(await clusters.list()).toEqual([]);
  });

  it('gives each cluster its own port', async () => {
    await clusters.create(request);
    expect((await clusters.create({ ...request, name: 'other' })).server).toBe('https://127.0.0.1:26444');
  });
});

describe('a failing machine', () => {
  it('makes the cluster failed with the step, and a retry goes on', async () => {
    machines.failures.set('default-2', 1);
    await clusters.create(request);
    await reach('failed');
    const [view] = await clusters.list();
    expect(view!.failure).toBe('default-2: step "boot" failed: no console line');
    expect(view!.controlPlane.state).toBe('running');
    const boot = view!.machines[1]!.steps.find((step) => step.step === 'boot');
    expect(boot).toMatchObject({ status: 'failed', failure: { hint: 'Look at the console.' } });
    await clusters.start('default');
    await reach('running');
    expect((await clusters.list())[0]!.failure).toBeUndefined();
  });

  it('is not started when all of them together do not fit now, and is when they do', async () => {
    await clusters.create(request);
    await reach('running');
    await clusters.stop('default');
    freeMemoryMiB = 800;
    await clusters.start('default');
    await reach('failed');
    const [view] = await clusters.list();
    expect(view!.failure).toContain('default-1, default-2 together need 1024 MiB of memory, 800 MiB are free');
    expect(view!.machines[1]!.steps[0]).toMatchObject({ status: 'failed', failure: { code: 'HOST_MEMORY' } });
    freeMemoryMiB = 8192;
    await clusters.start('default');
    await reach('running');
  });

  it('is started again when it goes down later, until it is up', async () => {
    await clusters.create(request);
    await reach('running');
    // The first two tries fail as well.
    machines.failures.set('default-1', 2);
    const before = machines.calls.length;
    machines.states.set('default-1', 'stopped');
    await vi.waitFor(() => {
      const since = machines.calls.slice(before);
      expect(since.filter((call) => call === 'provision default-1')).toHaveLength(3);
    }, 5_000);
    await reach('running');
    expect((await clusters.list())[0]!.failure).toBeUndefined();
  });
});

describe('stopping and deleting', () => {
  it('stops machines before the control plane and starts again', async () => {
    await clusters.create(request);
    await reach('running');
    await clusters.stop('default');
    expect((await clusters.list())[0]).toMatchObject({ state: 'stopped', controlPlane: { state: 'stopped' } });
    await clusters.start('default');
    await reach('running');
  });

  it('interrupts a start that hangs', async () => {
    machines.hang = true;
    await clusters.create(request);
    await vi.waitFor(() => expect(machines.calls).toContain('provision default-2'));
    await expect(clusters.start('default')).resolves.toMatchObject({ state: 'creating' });
    await clusters.stop('default');
    await reach('stopped');
  });

  it('joins a second stop and refuses a start meanwhile', async () => {
    await clusters.create(request);
    await reach('running');
    const stops = Promise.all([clusters.stop('default'), clusters.stop('default')]);
    await expect(clusters.start('default')).rejects.toMatchObject({ code: 'CLUSTER_BUSY' });
    await stops;
    expect(machines.calls.filter((call) => call === 'stop default-1')).toHaveLength(1);
  });

  it('deletes everything, also in the middle of a start', async () => {
    machines.hang = true;
    await clusters.create(request);
    await vi.waitFor(() => expect(machines.calls).toContain('provision default-1'));
    await clusters.delete('default');
    expect(await clusters.list()).toEqual([]);
    await expect(readFile(join(directory, 'clusters/default/cluster.json'))).rejects.toSatisfy(isMissing);
    await expect(clusters.delete('default')).rejects.toMatchObject({ code: 'CLUSTER_NOT_FOUND' });
  });
});

describe('a host that starts again', () => {
  it('brings back what was running and leaves alone what was stopped', async () => {
    await clusters.create(request);
    await reach('running');
    await clusters.close();
    expect((await clusters.list())[0]!.state).toBe('stopped');
    clusters = await openClusters();
    await reach('running');
    await clusters.stop('default');
    clusters = await openClusters();
    expect((await clusters.list())[0]!.state).toBe('stopped');
  });

  it('ends machines that run although the cluster was to be stopped', async () => {
    await clusters.create(request);
    await reach('running');
    await clusters.stop('default');
    machines.states.set('default-1', 'running');
    clusters = await openClusters();
    await vi.waitFor(() => expect(machines.states.get('default-1')).toBe('stopped'));
  });
});

describe('watching', () => {
  it('tells the whole list, then changes, until its signal', async () => {
    const abort = new AbortController();
    const states: string[] = [];
    const watching = (async () => {
      for await (const views of clusters.watch(abort.signal)) {
        states.push(views[0]?.state ?? 'none');
        if (views[0]?.state === 'running') abort.abort();
      }
    })();
    await clusters.create(request);
    await watching;
    expect(states[0]).toBe('none');
    expect(states.at(-1)).toBe('running');
  });

  it('streams a console and refuses an unknown machine', async () => {
    await clusters.create(request);
    await reach('running');
    const abort = new AbortController();
    for await (const { text } of clusters.console({ cluster: 'default', machine: 'default-1' }, abort.signal)) {
      expect(text).toBe('booting');
      abort.abort();
    }
    const wrong = clusters.console({ cluster: 'default', machine: 'x' }, abort.signal);
    await expect(wrong.next()).rejects.toMatchObject({ code: 'MACHINE_NOT_FOUND' });
  });
});
