import { describe, expect, it } from 'vitest';
import { acceleratorArguments, kernelCommandLine, qemuArguments } from './command-line';

const options = {
  spec: { name: 'node-2', number: 2, cpus: 2, memoryMiB: 1024, diskGiB: 12 },
  accelerator: 'tcg' as const,
  kernel: '/i/vmlinux',
  initrd: '/i/initrd',
  disk: '/m/a,b/disk.qcow2',
  consoleLog: '/m/console.log',
  monitorSocket: '/m/qmp.sock',
  networkSocket: '/m/net.sock',
  pidFile: '/m/qemu.pid',
  sshPort: 40022,
  address: '192.168.77.2/24',
  publicKey: 'AAAAC3==',
  clusterId: 'one',
};

describe('qemuArguments', () => {
  const line = qemuArguments(options);
  const after = (flag: string) => line[line.indexOf(flag) + 1];

  it('doubles commas inside paths', () => {
    expect(after('-drive')).toContain('file=/m/a,,b/disk.qcow2,if=none');
  });

  it('listens only on loopback for SSH and bounds the translation cache', () => {
    expect(line.filter((word) => word.includes('hostfwd'))).toEqual([
      'user,id=user,ipv6=off,hostfwd=tcp:127.0.0.1:40022-:22',
    ]);
    expect(after('-accel')).toContain('tb-size=256');
    expect(acceleratorArguments('kvm')).toEqual(['-accel', 'kvm', '-cpu', 'host']);
  });

  it('tells the guest who it is, with a machine id that differs by cluster and name and never changes', () => {
    const words = kernelCommandLine(options).split(' ');
    expect(words).toContain('pilothouse.name=node-2');
    expect(words).toContain('pilothouse.address=192.168.77.2/24');
    expect(words).toContain('pilothouse.mac1=52:54:00:71:00:02');
    const id = (changed: object) =>
      /machine-id=([0-9a-f]{32})/.exec(kernelCommandLine({ ...options, ...changed }))?.[1];
    expect(id({})).toBe(id({}));
    expect(new Set([id({}), id({ clusterId: 'two' }), id({ spec: { ...options.spec, name: 'x' } })]).size).toBe(3);
    expect(kernelCommandLine(options).length).toBeLessThan(2048);
  });
});
