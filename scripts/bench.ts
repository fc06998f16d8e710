// `npm run bench`: the hot paths of the product beside a real peer in the same run. Rates depend on the machine and on
// what else it does; ratios and CPU per operation are what to compare.
//   npm run bench              everything this machine can run
//   npm run bench -- store     one part
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { benchEtcdServer } from '../src-main/store/etcd/etcd.bench';
import { benchStore } from '../src-main/store/store.bench';

const etcdBinary = ['/usr/bin/etcd', '/usr/local/bin/etcd'].find((path) => existsSync(path));
const etcdPort = 24_379;
const writers = 64;
const etcdPuts = 5_000;

/** CPU seconds a process has used so far, all threads (Linux). */
function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

function post(path: string, body: unknown): Promise<void> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ host: '127.0.0.1', port: etcdPort, path, method: 'POST' }, (response) => {
      response.resume();
      response.on('end', () => (response.statusCode === 200 ? resolve() : reject(new Error(`${response.statusCode}`))));
    });
    outgoing.on('error', reject);
    outgoing.end(JSON.stringify(body));
  });
}

async function untilHealthy(etcd: ChildProcess): Promise<void> {
  for (let tries = 0; tries < 100 && etcd.exitCode === null; tries++) {
    try {
      return await post('/v3/kv/range', { key: Buffer.from('x').toString('base64') });
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
  throw new Error('etcd did not answer within 10 s');
}

/** Durable puts on a real etcd over its JSON gateway, with etcd's own CPU beside it. */
async function benchEtcd(directory: string): Promise<Record<string, number>> {
  const client = `http://127.0.0.1:${etcdPort}`;
  const peer = `http://127.0.0.1:${etcdPort + 1}`;
  const args = ['--data-dir', directory, '--listen-client-urls', client, '--advertise-client-urls', client];
  const etcd = spawn(etcdBinary!, [...args, '--listen-peer-urls', peer, '--log-level', 'error'], { stdio: 'ignore' });
  try {
    await untilHealthy(etcd);
    const value = Buffer.alloc(512, 120).toString('base64');
    const cpu = cpuSeconds(etcd.pid!);
    const start = performance.now();
    let next = 0;
    const writer = async () => {
      while (next < etcdPuts) {
        const key = Buffer.from(`/registry/pods/default/pod-${next++}`).toString('base64');
        await post('/v3/kv/put', { key, value });
      }
    };
    await Promise.all(Array.from({ length: writers }, writer));
    const seconds = (performance.now() - start) / 1000;
    const micros = ((cpuSeconds(etcd.pid!) - cpu) / etcdPuts) * 1e6;
    return { putsPerSecond: Math.round(etcdPuts / seconds), putCpuMicros: Number(micros.toFixed(1)) };
  } finally {
    etcd.kill('SIGTERM');
  }
}

async function inTemporaryFolder<T>(work: (directory: string) => Promise<T>): Promise<T> {
  const directory = mkdtempSync(join(tmpdir(), 'pilothouse-bench-'));
  try {
    return await work(directory);
  } finally {
    rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
  }
}

const parts: Record<string, () => Promise<unknown>> = {
  store: async () => {
    const ours = await inTemporaryFolder(benchStore);
    if (!etcdBinary) return { ours, etcd: 'skipped: etcd-server is not installed' };
    const etcd = await inTemporaryFolder(benchEtcd);
    // In process against JSON over HTTP, as the API server uses each: `endpoint` compares like with like.
    return { ours, etcd };
  },
  endpoint: async () => (etcdBinary ? benchEtcdServer() : 'skipped: etcd-server is not installed'),
};

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !(name in parts));
if (unknown.length > 0)
  throw new Error(`Unknown part ${unknown.join(', ')}: choose from ${Object.keys(parts).join(', ')}`);
for (const [name, bench] of Object.entries(parts)) {
  if (wanted.length === 0 || wanted.includes(name)) console.log(JSON.stringify({ [name]: await bench() }, null, 2));
}
