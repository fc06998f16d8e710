// Sessions against an SSH server in this process, which answers faster than any guest.

import type { AddressInfo } from 'node:net';
import ssh2 from 'ssh2';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { generateClusterKey } from './cluster-key';
import { openSession } from './session';

const key = generateClusterKey();
const server = new ssh2.Server({ hostKeys: [generateClusterKey().privateKey] }, (client) => {
  client.on('error', () => client.end());
  client.on('authentication', (attempt) => attempt.accept());
  client.on('ready', () => {
    client.on('session', (accept) => {
      accept().on('exec', (acceptExec, _reject, info) => {
        const channel = acceptExec();
        channel.write('before\n');
        channel.stderr.write('why\n');
        channel.exit(info.command === 'true' ? 0 : 7);
        channel.end();
      });
    });
  });
});

const endpoint = () => ({
  host: '127.0.0.1',
  port: (server.address() as AddressInfo).port,
  user: 'root',
  privateKey: key.privateKey,
});
const open = (hostKeyFingerprint?: string, pin = (_fingerprint: string) => {}) =>
  openSession({ endpoint: { ...endpoint(), hostKeyFingerprint }, machine: 'node-1', deadlineMs: 10_000, pin });

beforeAll(() => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve)));
afterAll(() => new Promise<void>((resolve) => server.close(() => resolve())));

it('never loses the exit code of a command that ends at once', async () => {
  const session = await open();
  for (let round = 0; round < 50; round += 1) {
    expect(await session.run('true')).toEqual({ exitCode: 0, stdout: 'before\n', stderr: 'why\n' });
    await expect(session.run('false')).rejects.toMatchObject({
      code: 'COMMAND_FAILED',
      details: { exitCode: 7, outputTail: 'before\n\nwhy' },
    });
  }
  await session.dispose();
});

it('pins the first host key and refuses another', async () => {
  let pinned = '';
  const session = await open(undefined, (fingerprint) => {
    pinned = fingerprint;
  });
  await session.dispose();
  await (await open(pinned)).dispose();
  await expect(open('SHA256:other')).rejects.toMatchObject({ code: 'HOST_KEY_CHANGED', details: { seen: pinned } });
});
