// A real machine: built or reused image, QEMU, SSH, systemd. Minutes under emulation, so one machine lives through all of it.

import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type PilothouseError, silentLogger } from '../../kit';
import type { MachineSet, MachineState, NodePayload, StepReport } from '../machine';
import { canRunQemu, createQemuMachineSet } from './machine-set';

const canRun = await canRunQemu();
const imagesDirectory = process.env.PILOTHOUSE_IMAGES ?? join(homedir(), '.pilothouse', 'images');
const minutes = 60_000;
const spec = { name: 'node-1', number: 1, cpus: 1, memoryMiB: 768, diskGiB: 6 };

const unit = (words: string) =>
  ['[Service]', `ExecStart=/bin/sleep ${words}`, 'Restart=always', '[Install]', 'WantedBy=multi-user.target', ''].join(
    '\n',
  );

function payload(change: Partial<NodePayload> = {}): NodePayload {
  return {
    certificates: [{ path: '/etc/kubernetes/pki/node.pem', content: 'secret', mode: 0o600 }],
    kubelet: {
      files: [{ path: '/opt/pilothouse/agents/kubelet.cjs', content: 'one', mode: 0o644 }],
      unit: unit('1000001'),
    },
    kubeProxy: { files: [], unit: unit('1000002') },
    ready: async () => {},
    ...change,
  };
}

describe.skipIf(!canRun)('a QEMU machine (needs qemu-system-x86_64 and mmdebstrap)', () => {
  let directory: string;
  let set: MachineSet;

  const open = () =>
    createQemuMachineSet({ directory, imagesDirectory, network: '192.168.78.0/24', logger: silentLogger });

  async function provision(nodePayload = payload()): Promise<Record<string, StepReport['status']>> {
    const last: Record<string, StepReport['status']> = {};
    await set.provision({
      spec,
      payload: async () => nodePayload,
      report: (report) => {
        last[report.step] = report.status;
      },
      signal: new AbortController().signal,
    });
    return last;
  }

  async function run(command: string): Promise<string> {
    const session = await set.connect(spec.name);
    try {
      return (await session.run(command)).stdout.trim();
    } finally {
      await session.dispose();
    }
  }

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'pilothouse-machines-'));
    set = await open();
  });

  afterAll(async () => {
    await set.delete(spec.name);
    await set.dispose();
    await rm(directory, { recursive: true, force: true });
  });

  it('refuses a machine that cannot be, and leaves nothing behind', async () => {
    const reports: StepReport[] = [];
    const impossible = set.provision({
      spec: { ...spec, memoryMiB: 100 },
      payload: async () => payload(),
      report: (report) => reports.push(report),
      signal: new AbortController().signal,
    });
    await expect(impossible).rejects.toMatchObject({ code: 'INVALID_MACHINE_SPEC', details: { field: 'memoryMiB' } });
    expect(reports.at(-1)).toMatchObject({ step: 'image', status: 'failed' });
    expect(set.list()).toEqual([]);
  });

  it(
    'goes from nothing to a running node with Docker',
    async () => {
      const steps = await provision();
      expect(steps).toMatchObject({
        disk: 'done',
        boot: 'done',
        ssh: 'done',
        certificates: 'done',
        kubelet: 'done',
        ready: 'done',
      });
      expect(set.list()[0]?.state()).toBe('running');
      expect(await run('hostname; ip -4 -o address show eth1 | cut -d" " -f7')).toBe('node-1\n192.168.78.1/24');
      expect(await run('docker info --format "{{.CgroupDriver}} {{.DefaultRuntime}} {{.LoggingDriver}}"')).toBe(
        'cgroupfs crun json-file',
      );
      expect(await run('stat -c %a /etc/kubernetes/pki/node.pem; systemctl is-active kubelet kube-proxy')).toBe(
        '600\nactive\nactive',
      );
      expect(Number(await run('df --output=size -k / | tail -1'))).toBeGreaterThan(5_000_000);
      expect(
        await run(
          'docker import -c "CMD [\\"/pause\\",\\"-s\\",\\"--\\",\\"/bin/sleep\\",\\"infinity\\"]" /opt/pilothouse/pause.tar pilothouse/pause:1',
        ),
      ).toContain('sha256:');
      expect(await run('docker run --rm --network none pilothouse/pause:1 /bin/busybox echo works')).toBe('works');
    },
    25 * minutes,
  );

  it('carries bytes on standard input and reports a failing command with its output', async () => {
    const session = await set.connect(spec.name);
    const bytes = Buffer.alloc(3_000_000, 'pilothouse');
    expect((await session.run('wc -c', { stdin: bytes })).stdout.trim()).toBe('3000000');
    const failing = session.run('echo before; echo why >&2; exit 7');
    await expect(failing).rejects.toMatchObject({
      code: 'COMMAND_FAILED',
      details: { exitCode: 7, outputTail: 'before\n\nwhy' },
    });
    await expect(session.run('sleep 60', { deadlineMs: 500 })).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' });
    expect(await session.writeFile({ path: '/root/a b', content: 'x', mode: 0o640 })).toBe(true);
    expect(await session.writeFile({ path: '/root/a b', content: 'x', mode: 0o640 })).toBe(false);
    await session.dispose();
  });

  it(
    'skips everything that is true and restarts only what changed',
    async () => {
      expect(await provision()).toMatchObject({
        image: 'skipped',
        boot: 'skipped',
        packages: 'skipped',
        certificates: 'skipped',
        kubelet: 'skipped',
      });
      const before = await run('systemctl show -p MainPID --value kubelet kube-proxy');
      const changed = payload({
        kubelet: {
          files: [{ path: '/opt/pilothouse/agents/kubelet.cjs', content: 'two', mode: 0o644 }],
          unit: unit('1000001'),
        },
      });
      expect(await provision(changed)).toMatchObject({ kubelet: 'done', 'kube-proxy': 'skipped' });
      const after = await run('systemctl show -p MainPID --value kubelet kube-proxy');
      expect(after.split('\n')[0]).not.toBe(before.split('\n')[0]);
      expect(after.split('\n').at(-1)).toBe(before.split('\n').at(-1));
    },
    3 * minutes,
  );

  it(
    'names the unit that does not stay up, with its journal',
    async () => {
      const broken = payload({
        kubeProxy: {
          files: [],
          unit: '[Service]\nExecStart=/bin/sh -c "echo no port; exit 3"\n[Install]\nWantedBy=multi-user.target\n',
        },
      });
      await expect(provision(broken)).rejects.toMatchObject({ code: 'COMMAND_FAILED', details: { exitCode: 5 } });
    },
    3 * minutes,
  );

  it(
    'is found running by the next owner of the folder, console included',
    async () => {
      const usage = await set.list()[0]!.usage();
      await set.detach();
      set = await open();
      const machine = set.list()[0]!;
      expect(machine.state()).toBe('running');
      expect(await machine.usage()).toMatchObject({ pid: usage!.pid });
      expect(await run('echo there')).toBe('there');
      const text = new Promise<string>((resolve) => {
        let seen = '';
        machine.console((chunk) => {
          seen += chunk;
          if (seen.includes('after adoption')) resolve(seen);
        });
      });
      await run('echo after adoption > /dev/ttyS0');
      expect((await text).length).toBeGreaterThan('after adoption'.length);
    },
    minutes,
  );

  it('suspends and resumes', async () => {
    await set.suspend(spec.name);
    await expect.poll(() => set.list()[0]?.state()).toBe('suspended');
    await set.resume(spec.name);
    await expect.poll(() => set.list()[0]?.state()).toBe('running');
  });

  it(
    'shuts down by the power button and comes back with its disk',
    async () => {
      await run('echo kept > /root/kept; rm -f /etc/systemd/system/kube-proxy.service');
      await set.stop(spec.name);
      expect(set.list()[0]?.state()).toBe('stopped');
      expect(await readFile(join(directory, spec.name, 'console.log'), 'utf8')).toMatch(
        /Power down|Reached target poweroff/i,
      );
      const steps = await provision();
      expect(steps).toMatchObject({ disk: 'skipped', boot: 'done', 'kube-proxy': 'done' });
      expect(await run('cat /root/kept')).toBe('kept');
    },
    6 * minutes,
  );

  it(
    'refuses a host key that is not the pinned one',
    async () => {
      await run(
        'rm /etc/ssh/ssh_host_ed25519_key && ssh-keygen -q -t ed25519 -N "" -f /etc/ssh/ssh_host_ed25519_key && systemctl restart ssh',
      );
      const outcome = () =>
        set.connect(spec.name).then(
          () => 'connected',
          (error: PilothouseError) => error.code,
        );
      await expect.poll(outcome, { timeout: 30_000, interval: 500 }).toBe('HOST_KEY_CHANGED');
    },
    minutes,
  );

  it('tells when the process dies by itself', async () => {
    const machine = set.list()[0]!;
    const failed = new Promise<MachineState>((resolve) => machine.onStateChange(resolve));
    process.kill((await machine.usage())!.pid, 'SIGKILL');
    expect(await failed).toBe('failed');
  });

  it('deletes a machine with its folder', async () => {
    await set.delete(spec.name);
    expect(set.list()).toEqual([]);
    await expect(stat(join(directory, spec.name))).rejects.toMatchObject({ code: 'ENOENT' });
  });
});
