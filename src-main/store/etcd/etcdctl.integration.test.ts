// Debian's etcdctl drives the same commands against our endpoint and against a real etcd; what it prints must be equal
// but for ids, times and sizes. The history is the same in both, so revisions, versions and hashes must be equal too.

import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { silentLogger } from '../../kit';
import { type EtcdCluster, hasEtcd, startEtcdCluster } from '../../testkit/etcd-cluster';
import { openLmdbStore } from '../open';
import type { LocalStore } from '../store';
import { type EtcdServer, startEtcdServer } from './server';

const etcdctl = '/usr/bin/etcdctl';

interface Step {
  args: string[];
  input?: string;
  /** For commands that never end: the text after which they are ended. */
  until?: string;
}

const step = (line: string, rest: Omit<Step, 'args'> = {}): Step => ({
  args: line.split(' ').map((word) => word.replace(/^''$/, '')),
  ...rest,
});

const lease = '0xabc';
const story: Step[] = [
  step('put a 1'),
  step('put a 2 --prev-kv'),
  step('put b 1'),
  step('put b/c 2'),
  step('put b/d 3'),
  step("put '' 1"),
  step('put missing --ignore-value'),
  step('put b x --ignore-lease'),
  step('put b --ignore-value'),
  step('get a'),
  step('get a -w json'),
  step('get a -w fields'),
  step('get b --prefix'),
  step('get b --prefix --keys-only'),
  step('get b --prefix --limit=2 -w json'),
  step('get b --prefix --count-only -w fields'),
  step('get a c'),
  step('get b --from-key'),
  step('get b --prefix --print-value-only'),
  step('get b --prefix --order=DESCEND --sort-by=MODIFY'),
  step('get b --prefix --order=ASCEND --sort-by=VALUE'),
  step('get b --prefix --order=DESCEND --sort-by=VERSION -w json'),
  step('get a --rev=2'),
  step('get a --rev=99'),
  step('get a --consistency=s'),
  step('get a --hex'),
  step('get nothing -w json'),
  step("get ''"),
  step('del b/c --prev-kv'),
  step('del nothing'),
  step('del b --prefix -w json'),
  step('txn', { input: 'ver("a") > "1"\nmod("nope") = "0"\n\nput t/1 x\nget a\ndel b\n\nget t/1\n\n' }),
  step('txn -w json', { input: 'val("a") = "other"\n\nput t/1 x\n\nget a\nget t/ --prefix\n\n' }),
  step('txn', { input: 'create("a") = "2"\n\nput dup 1\nput dup 2\n\n\n' }),
  step(`lease grant 100 -w json`),
  step(`lease timetolive ${lease}`),
  step(`lease revoke ${lease}`),
  step(`lease keep-alive --once ${lease}`),
  step(`put l 1 --lease=${lease}`),
  step('watch a --rev=2', { until: '\na\n2\n' }),
  step('watch --rev=2 --prev-kv --prefix b', { until: 'DELETE\nb/d\n3\n' }),
  step('compact 4'),
  step('compact 4'),
  step('compact 999'),
  step('compact 6 --physical'),
  step('get a --rev=3'),
  step('watch a --rev=2', { until: 'Error: watch is canceled' }),
  step('endpoint hashkv -w json'),
  step('alarm list'),
  step('alarm disarm'),
  step('move-leader 123'),
  step('member remove 1234'),
  step('member promote 1234'),
  step('member update 1234 --peer-urls=http://127.0.0.1:1'),
  step('defrag'),
  step('endpoint health'),
  step('check perf --help'),
];

interface Outcome {
  code: number | null;
  out: string;
}

/** Runs etcdctl to its end, or until it has printed what is waited for. */
function run(endpoint: string, { args, input, until }: Step): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    // Without the scheme: etcdctl 3.4 would send it in the authority of some calls, and Node's HTTP/2 refuses that.
    const child = spawn(etcdctl, ['--endpoints', endpoint.replace('http://', ''), ...args], {
      env: { ...process.env, ETCDCTL_API: '3' },
      stdio: ['pipe', 'pipe', 'pipe'],
      timeout: 20_000,
    });
    let out = '';
    const take = (part: Buffer) => {
      out += part.toString();
      if (until !== undefined && out.includes(until)) child.kill();
    };
    child.stdout.on('data', take);
    child.stderr.on('data', take);
    child.once('error', reject);
    child.once('close', (code) => resolve({ code: until === undefined ? code : 0, out }));
    // It may end before it has read everything, which is its own affair.
    child.stdin.on('error', () => undefined);
    child.stdin.end(input ?? '');
  });
}

/** Takes out what differs by nature. */
const normalize = ({ code, out }: Outcome) => ({
  code,
  out: out
    .replace(/^\{"level":"warn".*$\n?/gm, '')
    .replace(/127\.0\.0\.1:\d+/g, 'ENDPOINT')
    .replace(/"(cluster_id|member_id|ID)":\d+/g, '"$1":0')
    .replace(/"(ClusterID|MemberID|ID)" : \d+/g, '"$1" : 0')
    .replace(/"raft_term":\d+/g, '"raft_term":0')
    .replace(/"RaftTerm" : \d+/g, '"RaftTerm" : 0')
    .replace(/[0-9a-f]{16}/g, 'ID')
    .replace(/took = \S+/g, 'took = TIME'),
});

describe.skipIf(!hasEtcd || !existsSync(etcdctl))("etcdctl against ours and a real etcd (needs Debian's etcd)", () => {
  let directory: string;
  let store: LocalStore;
  let ours: EtcdServer;
  let real: EtcdCluster;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'pilothouse-etcdctl-'));
    store = await openLmdbStore({ directory, logger: silentLogger });
    ours = await startEtcdServer({ store, logger: silentLogger, listen: [{ host: '127.0.0.1', port: 0 }] });
    real = await startEtcdCluster();
    // Its start-up wrote nothing that a client sees, or ours must do the same to be at the same revision.
    const { out } = await run(real.endpoints[0]!, step('endpoint status -w json'));
    const revision = Number(/"revision":(\d+)/.exec(out)?.[1]);
    while (store.revision() < revision) {
      await store.put({ key: 'level', value: Buffer.alloc(0) });
      await store.deleteRange({ key: 'level' });
    }
  }, 60_000);

  afterAll(async () => {
    await ours?.stop();
    await store?.close();
    await real?.stop();
    await rm(directory, { recursive: true, force: true });
  });

  it('prints the same for every command', { timeout: 120_000 }, async () => {
    for (const item of story) {
      const [mine, its] = await Promise.all([run(ours.url, item), run(real.endpoints[0]!, item)]);
      const told = { step: item.args.join(' '), ...normalize(mine) };
      expect.soft(told).toEqual({ step: item.args.join(' '), ...normalize(its) });
    }
  });

  it('grants, lists, keeps and revokes leases as etcdctl expects', { timeout: 60_000 }, async () => {
    const granted = await run(ours.url, step('lease grant 300'));
    const id = /lease (\w+) granted with TTL\(300s\)/.exec(granted.out)?.[1] ?? 'none';
    await run(ours.url, step(`put leased 1 --lease=${id}`));
    expect((await run(ours.url, step('lease list'))).out).toContain(`${id}\n`);
    expect((await run(ours.url, step(`lease timetolive ${id} --keys`))).out).toMatch(/attached keys\(\[leased\]\)/);
    expect((await run(ours.url, step(`lease keep-alive --once ${id}`))).out).toBe(
      `lease ${id} keepalived with TTL(300)\n`,
    );
    expect((await run(ours.url, step(`lease revoke ${id}`))).out).toBe(`lease ${id} revoked\n`);
    expect((await run(ours.url, step('get leased'))).out).toBe('');
  });

  it('answers HTTP on the client port', async () => {
    const get = (path: string) => fetch(`${ours.url}${path}`);
    expect(await (await get('/health')).json()).toEqual({ health: 'true', reason: '' });
    expect(await (await get('/version')).json()).toHaveProperty('etcdserver');
    const metrics = await (await get('/metrics')).text();
    expect(metrics).toMatch(/^etcd_server_has_leader 1$/m);
    expect(metrics).toMatch(/grpc_server_handled_total\{grpc_code="OK",grpc_method="Put"/);
    expect((await get('/other')).status).toBe(404);
  });
});
