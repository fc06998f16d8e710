// A container image made on the spot: there is no registry where the tests run.
import { copyFileSync, mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { runOk } from './process';

export const busyboxImage = 'pilothouse.test/busybox:1';

/** Root filesystem tar with the computer's static busybox and its usual names. Answers the tar's path. */
export async function makeBusyboxTar(directory: string): Promise<string> {
  const rootfs = join(directory, 'rootfs');
  for (const folder of ['bin', 'tmp', 'etc', 'www']) mkdirSync(join(rootfs, folder), { recursive: true });
  copyFileSync('/bin/busybox', join(rootfs, 'bin/busybox'));
  for (const applet of ['sh', 'wget', 'httpd', 'sleep', 'cat', 'hostname', 'seq', 'date', 'echo', 'nslookup', 'ls']) {
    symlinkSync('busybox', join(rootfs, 'bin', applet));
  }
  const tar = join(directory, 'busybox.tar');
  await runOk('tar', ['-C', rootfs, '-cf', tar, '.']);
  return tar;
}
