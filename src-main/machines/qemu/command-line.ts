// QEMU's command line for one machine, as a pure function: what a machine is made of can be read and tested here.

import { createHash } from 'node:crypto';
import type { AcceleratorVerdict, MachineSpec } from '../machine';
import { macOf } from '../network/address';

export const qemuProgram = 'qemu-system-x86_64';

/** TCG's translation cache is 1 GiB unless bounded; 256 MiB costs no measurable speed. */
const tcg = 'tcg,thread=multi,tb-size=256';

export interface QemuCommandLineOptions {
  spec: MachineSpec;
  accelerator: AcceleratorVerdict['accelerator'];
  kernel: string;
  initrd: string;
  disk: string;
  consoleLog: string;
  monitorSocket: string;
  networkSocket: string;
  pidFile: string;
  sshPort: number;
  /** Address with prefix length on the node network. */
  address: string;
  /** Base64 part of the cluster's ed25519 public key. */
  publicKey: string;
  /** Something unique to the cluster, from which the guest's machine-id follows. */
  clusterId: string;
}

export function acceleratorArguments(accelerator: AcceleratorVerdict['accelerator']): string[] {
  return accelerator === 'tcg' ? ['-accel', tcg, '-cpu', 'max'] : ['-accel', accelerator, '-cpu', 'host'];
}

/** What the guest learns at boot: rootfs/opt/pilothouse/node-init and the initrd read the pilothouse.* words. */
export function kernelCommandLine(options: QemuCommandLineOptions): string {
  const { spec } = options;
  const machineId = createHash('md5').update(`${options.clusterId}/${spec.name}`).digest('hex');
  return [
    'root=/dev/vda rw console=ttyS0 net.ifnames=0 panic=5 quiet audit=0 apparmor=0 lsm=capability',
    'random.trust_cpu=on no_timer_check tsc=reliable cryptomgr.notests systemd.show_status=1',
    `pilothouse.machine-id=${machineId}`,
    `pilothouse.name=${spec.name}`,
    `pilothouse.address=${options.address}`,
    `pilothouse.key=${options.publicKey}`,
    `pilothouse.mac0=${macOf(spec.number, 0)}`,
    `pilothouse.mac1=${macOf(spec.number, 1)}`,
  ].join(' ');
}

/** QEMU splits its option values at commas; a comma inside is doubled. */
function value(text: string): string {
  return text.replaceAll(',', ',,');
}

export function qemuArguments(options: QemuCommandLineOptions): string[] {
  const { spec } = options;
  const groups: string[][] = [
    ['-name', `pilothouse-${spec.name}`, '-nodefaults', '-no-user-config', '-display', 'none', '-machine', 'pc'],
    acceleratorArguments(options.accelerator),
    ['-smp', String(spec.cpus), '-m', String(spec.memoryMiB)],
    ['-kernel', options.kernel, '-initrd', options.initrd, '-append', kernelCommandLine(options)],
    ['-drive', `file=${value(options.disk)},if=none,id=disk,format=qcow2,discard=unmap,cache=writeback`],
    ['-device', 'virtio-blk-pci,drive=disk'],
    ['-netdev', `user,id=user,ipv6=off,hostfwd=tcp:127.0.0.1:${options.sshPort}-:22`],
    ['-device', `virtio-net-pci,netdev=user,mac=${macOf(spec.number, 0)},romfile=`],
    ['-netdev', `stream,id=node,server=on,addr.type=unix,addr.path=${value(options.networkSocket)}`],
    ['-device', `virtio-net-pci,netdev=node,mac=${macOf(spec.number, 1)},romfile=`],
    ['-object', 'rng-random,id=rng,filename=/dev/urandom', '-device', 'virtio-rng-pci,rng=rng'],
    ['-device', 'virtio-balloon-pci,free-page-reporting=on'],
    // Appending, so that the file may be cut short from outside while the guest writes.
    ['-chardev', `file,id=console,path=${value(options.consoleLog)},append=on`, '-serial', 'chardev:console'],
    ['-qmp', `unix:${value(options.monitorSocket)},server=on,wait=off`],
    ['-pidfile', options.pidFile],
  ];
  return groups.flat();
}
