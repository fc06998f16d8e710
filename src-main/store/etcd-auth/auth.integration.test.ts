import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { silentLogger, systemClock } from '../../kit';
import { type EtcdCluster, hasEtcd, startEtcdCluster } from '../../testkit/etcd-cluster';
import { type EtcdServer, startEtcdServer } from '../etcd';
import { openLmdbStore } from '../index';
import type { LocalStore } from '../store';
import { authorizer, authService, AuthStore } from './index';

const etcdctl = '/usr/bin/etcdctl';
const root = ['--user', 'root:secret'];
const anna = ['--user', 'anna:hers'];

/** One story, told to both: what etcdctl prints and answers must be the same. */
const story: string[][] = [
  ['user', 'list'],
  ['auth', 'enable'],
  ['user', 'add', 'root:secret'],
  ['user', 'add', 'root:again'],
  ['user', 'add', 'anna:pass'],
  ['user', 'add', 'cert', '--no-password'],
  ['user', 'list'],
  ['user', 'get', 'nobody'],
  ['role', 'add', 'reader'],
  ['role', 'add', 'reader'],
  ['role', 'grant-permission', 'reader', 'read', 'a', 'c'],
  ['role', 'grant-permission', 'reader', 'readwrite', 'own/', '--prefix'],
  ['role', 'grant-permission', 'reader', 'write', 'one'],
  ['role', 'grant-permission', 'none', 'write', 'one'],
  ['role', 'get', 'reader'],
  ['role', 'get', 'none'],
  ['role', 'list'],
  ['user', 'grant-role', 'anna', 'reader'],
  ['user', 'grant-role', 'anna', 'reader'],
  ['user', 'grant-role', 'anna', 'none'],
  ['user', 'grant-role', 'nobody', 'reader'],
  ['user', 'revoke-role', 'cert', 'reader'],
  ['user', 'get', 'anna'],
  ['user', 'get', 'anna', '--detail'],
  ['put', 'a', 'before'],
  ['auth', 'enable'],
  ['get', 'a'],
  ['put', 'a', '1'],
  [...root, 'put', 'a', '1'],
  [...root, 'put', 'z', '26'],
  ['--user', 'root:wrong', 'get', 'a'],
  ['--user', 'nobody:x', 'get', 'a'],
  ['--user', 'cert:', 'get', 'a'],
  ['--user', 'anna:pass', 'get', 'a'],
  ['--user', 'anna:pass', 'get', 'z'],
  ['--user', 'anna:pass', 'get', 'a', 'c'],
  ['--user', 'anna:pass', 'get', 'a', 'd'],
  ['--user', 'anna:pass', 'put', 'a', '2'],
  ['--user', 'anna:pass', 'put', 'one', '2'],
  ['--user', 'anna:pass', 'get', 'one'],
  ['--user', 'anna:pass', 'put', 'own/x', '2'],
  ['--user', 'anna:pass', 'del', 'own/', '--prefix'],
  ['--user', 'anna:pass', 'del', 'a'],
  ['--user', 'anna:pass', 'user', 'list'],
  ['--user', 'anna:pass', 'user', 'get', 'anna'],
  ['--user', 'anna:pass', 'user', 'get', 'root'],
  ['--user', 'anna:pass', 'role', 'get', 'reader'],
  ['--user', 'anna:pass', 'compaction', '2'],
  ['--user', 'anna:pass', 'auth', 'disable'],
  [...root, 'user', 'passwd', 'anna', '--interactive=false'],
  ['--user', 'anna:pass', 'get', 'a'],
  [...anna, 'get', 'a'],
  [...root, 'role', 'revoke-permission', 'reader', 'a', 'c'],
  [...root, 'role', 'revoke-permission', 'reader', 'a', 'c'],
  [...anna, 'get', 'a'],
  [...root, 'user', 'delete', 'root'],
  [...root, 'user', 'revoke-role', 'root', 'root'],
  [...root, 'role', 'delete', 'root'],
  [...root, 'role', 'delete', 'reader'],
  [...root, 'user', 'get', 'anna'],
  [...root, 'user', 'delete', 'anna'],
  [...anna, 'get', 'a'],
  [...root, 'auth', 'disable'],
  ['get', 'a'],
  ['user', 'delete', 'nobody'],
];

interface Outcome {
  code: number | null;
  output: string;
  error: string;
}

function run(endpoint: string, parameters: string[]): Promise<Outcome> {
  const env = { ETCDCTL_API: '3', PATH: process.env['PATH'] };
  const child = spawn(etcdctl, ['--endpoints', endpoint, '--command-timeout', '10s', ...parameters], { env });
  let output = '';
  let error = '';
  child.stdout.on('data', (chunk) => {
    output += chunk;
  });
  child.stderr.on('data', (chunk) => {
    error += chunk;
  });
  // The new password of `user passwd`.
  child.stdin.end('hers\n');
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => {
      // The client's own log lines carry times and addresses.
      const told = error.split('\n').filter((line) => !line.startsWith('{'));
      resolve({ code, output, error: told.join('\n') });
    });
  });
}

describe.skipIf(!hasEtcd || !existsSync(etcdctl))(
  'etcdctl and a real etcd (etcd-server, etcd-client of Debian)',
  () => {
    let directory: string;
    let store: LocalStore;
    let server: EtcdServer;
    let real: EtcdCluster;

    async function serve(): Promise<EtcdServer> {
      const auth = await AuthStore.open({ path: join(directory, 'auth.json'), clock: systemClock });
      return startEtcdServer({
        store,
        logger: silentLogger,
        listen: [{ host: '127.0.0.1', port: 0 }],
        services: ({ header }) => [authService({ auth, header })],
        authorize: authorizer(auth, store),
      });
    }

    beforeAll(async () => {
      directory = await mkdtemp(join(tmpdir(), 'pilothouse-auth-'));
      store = await openLmdbStore({ directory: join(directory, 'store'), logger: silentLogger });
      [server, real] = await Promise.all([serve(), startEtcdCluster()]);
    });

    afterAll(async () => {
      await Promise.all([server?.stop(), real?.stop()]);
      await store?.close();
      await rm(directory, { recursive: true, force: true });
    });

    it('say the same of users, roles and permissions', async () => {
      for (const command of story) {
        const [ours, theirs] = await Promise.all([run(server.url, command), run(real.endpoints[0]!, command)]);
        expect.soft(ours, command.join(' ')).toEqual(theirs);
      }
    });

    it('remember users and that authentication is on', async () => {
      await run(server.url, ['user', 'add', 'eve:pass']);
      expect(await run(server.url, ['auth', 'enable'])).toMatchObject({ code: 0 });
      await server.stop();
      server = await serve();
      expect(await run(server.url, ['get', 'a'])).toMatchObject({
        code: 1,
        error: expect.stringContaining('user name'),
      });
      expect(await run(server.url, ['--user', 'root:secret', 'user', 'list'])).toMatchObject({
        code: 0,
        output: 'cert\neve\nroot\n',
      });
      expect(await run(server.url, ['--user', 'eve:pass', 'get', 'a'])).toMatchObject({ code: 1 });
    });
  },
);
