// The inside of a cluster's machine, reached as the host reaches it: with the cluster's key on the machine's SSH port.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import ssh2 from 'ssh2';

export interface GuestFolder {
  home: string;
  cluster: string;
  machine: string;
}

export function machineFile(guest: GuestFolder, name: string): string {
  return join(guest.home, 'clusters', guest.cluster, 'machines', guest.machine, name);
}

/** Pid of the machine's QEMU, undefined while there is none. Never a stranger's: its command line names this home. */
export function qemuPid(guest: GuestFolder): number | undefined {
  const path = machineFile(guest, 'qemu.pid');
  const pid = Number(readText(path));
  return pid > 1 && (readText(`/proc/${pid}/cmdline`) ?? '').includes(path) ? pid : undefined;
}

export function sshPortOf(guest: GuestFolder): number {
  return (JSON.parse(readFileSync(machineFile(guest, 'machine.json'), 'utf8')) as { sshPort: number }).sshPort;
}

/** What a command in the machine prints; rejects when it cannot be reached or the command fails. */
export function inGuest(guest: GuestFolder, command: string, deadlineMs = 20_000): Promise<string> {
  const key = readFileSync(join(guest.home, 'clusters', guest.cluster, 'machines', 'ssh_key'));
  const client = new ssh2.Client();
  return new Promise<string>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`${command}: no answer within ${deadlineMs} ms`)), deadlineMs);
    client.once('close', () => clearTimeout(timer));
    client.on('error', reject);
    client.once('ready', () =>
      client.exec(command, (error, channel) => {
        if (error) return reject(error);
        let output = '';
        channel.on('data', (chunk: Buffer) => (output += chunk));
        channel.stderr.resume();
        channel.on('exit', (code: number | null) => {
          if (code !== 0) reject(new Error(`${command}: exit code ${code}`));
        });
        channel.on('close', () => resolve(output));
      }),
    );
    client.connect({
      host: '127.0.0.1',
      port: sshPortOf(guest),
      username: 'root',
      privateKey: key,
      readyTimeout: deadlineMs,
    });
  }).finally(() => client.destroy());
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ESRCH') return undefined;
    throw error;
  }
}
