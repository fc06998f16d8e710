// What goes wrong around a real cluster of one machine, driven by the command line alone: killed hosts and machines, a
// computer that slept, a port that is taken, a start that is interrupted. After each of them the cluster is usable again.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { ClusterView } from '../src-main/contract';
import { inGuest, qemuPid, sshPortOf } from './harness/guest';
import { eventually, type Kept } from './harness/process';
import { missingForClusters, World } from './harness/world';

const cluster = 'faults';
const node = `${cluster}-1`;
const reason = missingForClusters.join(', ');
const title = reason === '' ? 'faults' : `faults (missing on this machine: ${reason})`;
const minutes = 60_000;
const patience = { deadlineMs: 8 * minutes };

describe.skipIf(reason !== '')(title, () => {
  const world = new World();
  const guest = { home: world.home, cluster, machine: node };

  const hostPid = () => (JSON.parse(readFileSync(join(world.home, 'host.json'), 'utf8')) as { pid: number }).pid;
  const view = async (): Promise<ClusterView> => {
    const { stdout } = await world.cli(['status', '--json', '--name', cluster]);
    return (JSON.parse(stdout) as { clusters: ClusterView[] }).clusters[0]!;
  };
  const up = async () => {
    const result = await world.cli(['up'], patience);
    expect(result.code, result.stderr).toBe(0);
    expect(result.stdout).toContain(`Cluster ${cluster} is running with 1 node`);
  };
  const readyNode = () =>
    eventually(
      `${node} is Ready`,
      async () => {
        const path = '{.status.conditions[?(@.type=="Ready")].status}';
        const kubeconfig = join(world.home, 'clusters', cluster, 'kubeconfig');
        const args = ['--kubeconfig', kubeconfig, 'get', 'node', node, '-o', `jsonpath=${path}`];
        return (await world.kubectl(args)) === 'True' || undefined;
      },
      patience,
    );
  const prints = (kept: Kept, what: RegExp) =>
    eventually(`the command prints ${what}`, async () => what.test(kept.output()) || undefined, patience);
  const ended = (kept: Kept) =>
    eventually('the command ends', async () => kept.child.exitCode ?? undefined, { deadlineMs: minutes });
  const guestDrift = async () => {
    const asked = Date.now();
    const guestNow = Number(await inGuest(guest, 'date +%s%3N'));
    return Math.max(0, Math.abs(guestNow - asked) - (Date.now() - asked));
  };
  const rightClock = () =>
    eventually('the guest clock is right', async () => (await guestDrift()) < 4000 || undefined, patience);

  afterAll(async () => {
    await world.cli(['delete', '--name', cluster, '--yes'], { deadlineMs: 2 * minutes });
    const pid = qemuPid(guest);
    if (pid !== undefined) process.kill(pid, 'SIGKILL');
    await world.dispose();
  });

  it('goes on with a creation whose host was killed', { timeout: 20 * minutes }, async () => {
    const creating = world.keepCli(['up', '--name', cluster, '--nodes', '1']);
    await prints(creating, /ssh +waiting/);
    const machine = qemuPid(guest);
    expect(machine).toBeDefined();
    process.kill(hostPid(), 'SIGKILL');
    expect(await ended(creating)).toBe(3);
    expect(creating.output()).toContain('the host ended');
    await up();
    expect(qemuPid(guest)).toBe(machine);
    await readyNode();
  });

  it('takes over running machines after a kill of the host', { timeout: 10 * minutes }, async () => {
    const machine = qemuPid(guest);
    process.kill(hostPid(), 'SIGKILL');
    await up();
    expect(qemuPid(guest)).toBe(machine);
    await readyNode();
  });

  it('sets the clock of a machine that stood still', { timeout: 15 * minutes }, async () => {
    const machine = qemuPid(guest)!;
    const since = Date.now();
    process.kill(machine, 'SIGSTOP');
    try {
      await eventually('20 s have passed', async () => Date.now() - since > 20_000 || undefined, {
        deadlineMs: minutes,
      });
    } finally {
      process.kill(machine, 'SIGCONT');
    }
    await rightClock();
    await inGuest(guest, `date -s @${Math.floor(Date.now() / 1000) - 3600}`);
    await rightClock();
    await readyNode();
    expect((await view()).state).toBe('running');
  });

  it('starts a machine again whose process was killed', { timeout: 15 * minutes }, async () => {
    const machine = qemuPid(guest)!;
    process.kill(machine, 'SIGKILL');
    await eventually(
      'the cluster runs on a new process',
      async () => {
        const pid = qemuPid(guest);
        return (pid !== undefined && pid !== machine && (await view()).state === 'running') || undefined;
      },
      patience,
    );
    await readyNode();
  });

  it('names a port that is taken, goes on when it is free, and can be deleted meanwhile', {
    timeout: 15 * minutes,
  }, async () => {
    const port = Number(new URL((await view()).server).port);
    expect((await world.cli(['down'], patience)).code).toBe(0);
    const [other, onSshPort] = [createServer(), createServer()];
    const sshPort = sshPortOf(guest);
    await new Promise<void>((resolve) => other.listen(port, '127.0.0.1', resolve));
    await new Promise<void>((resolve) => onSshPort.listen(sshPort, '127.0.0.1', resolve));
    const refused = await world.cli(['up'], patience);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain(`port ${port} on 127.0.0.1, which the API server needs, is taken`);
    expect(refused.stderr).toContain('then retry');
    await new Promise((resolve) => other.close(resolve));

    const starting = world.keepCli(['up']);
    await prints(starting, /ssh +waiting/);
    // Only the API server's port is promised to others: SSH moves to a free one.
    expect(sshPortOf(guest)).not.toBe(sshPort);
    await new Promise((resolve) => onSshPort.close(resolve));
    starting.child.kill('SIGINT');
    expect(await ended(starting)).toBe(130);
    expect(starting.output()).toContain('goes on in the background');
    expect((await view()).state).toBe('starting');
    const deleted = await world.cli(['delete', '--yes'], patience);
    expect(deleted.code, deleted.stderr).toBe(0);
    expect(qemuPid(guest)).toBeUndefined();
  });
});
