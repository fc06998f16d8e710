// Our endpoint beside a real etcd, one after the other through the same gRPC client in the same run: operations a second
// and the server's CPU microseconds an operation (Linux: /proc). The ratio of CPU is what to look at.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Client, credentials, makeClientConstructor, type ServiceError } from '@grpc/grpc-js';
import { services } from './protocol';

const etcdBinary = '/usr/bin/etcd';
const clients = 100;
const keys = 1_000;
const measureMs = 2_500;
const startMs = 30_000;
const value = Buffer.alloc(512, 120);

export interface Figure {
  rate: number;
  cpuMicros: number;
}

export type Figures = Record<'serialPut' | 'put100' | 'range1' | 'range1000', Figure>;

/** `etcd` and `cpuRatio` (ours divided by etcd's) are absent where no etcd is installed. */
export async function benchEtcdServer(): Promise<{ ours: Figures; etcd?: Figures; cpuRatio?: Record<string, number> }> {
  const ours = await withServer(startOurs, measureAll);
  if (!existsSync(etcdBinary)) return { ours };
  const etcd = await withServer(startReal, measureAll);
  const names = Object.keys(ours) as (keyof Figures)[];
  const cpuRatio = names.map((name) => [name, Number((ours[name].cpuMicros / etcd[name].cpuMicros).toFixed(2))]);
  return { ours, etcd, cpuRatio: Object.fromEntries(cpuRatio) as Record<string, number> };
}

interface Started {
  process: ChildProcess;
  endpoint: string;
}

async function withServer<T>(start: (directory: string) => Promise<Started>, work: (started: Started) => Promise<T>) {
  const directory = mkdtempSync(join(tmpdir(), 'pilothouse-bench-'));
  const started = await start(directory);
  try {
    return await work(started);
  } finally {
    const ended = once(started.process, 'exit');
    started.process.kill('SIGTERM');
    await ended;
    rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
  }
}

async function startOurs(directory: string): Promise<Started> {
  const file = join(import.meta.dirname, 'bench-endpoint.ts');
  const child = spawn(process.execPath, [...process.execArgv, file, directory], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(child.stdout!, 'data', { signal: AbortSignal.timeout(startMs) })) as [Buffer];
  return { process: child, endpoint: line.toString().trim().replace('http://', '') };
}

async function startReal(directory: string): Promise<Started> {
  const [port, peerPort] = [await freePort(), await freePort()];
  const client = `http://127.0.0.1:${port}`;
  const peer = `http://127.0.0.1:${peerPort}`;
  const listen = ['--data-dir', directory, '--listen-client-urls', client, '--advertise-client-urls', client];
  const peers = ['--listen-peer-urls', peer, '--initial-advertise-peer-urls', peer];
  const args = [...listen, ...peers, '--initial-cluster', `default=${peer}`];
  const child = spawn(etcdBinary, args, { stdio: 'ignore' });
  return { process: child, endpoint: `127.0.0.1:${port}` };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  return port;
}

type Call = (request: object, callback: (error: ServiceError | null) => void) => void;

/** What the server sent is not decoded: the client's own cost would only blur the picture. */
function kvClient(endpoint: string): Client & { Put: Call; Range: Call } {
  const { kv } = services;
  const undecoded = (bytes: Buffer) => bytes;
  const definition = {
    Put: { ...kv.Put!, responseDeserialize: undecoded },
    Range: { ...kv.Range!, responseDeserialize: undecoded },
  };
  const options = { 'grpc.max_receive_message_length': -1, 'grpc.use_local_subchannel_pool': 1 };
  const made = new (makeClientConstructor(definition, 'KV'))(endpoint, credentials.createInsecure(), options);
  return made as unknown as Client & { Put: Call; Range: Call };
}

const promised = (client: Client, call: Call, request: object) =>
  new Promise<void>((resolve, reject) => {
    call.call(client, request, (error) => (error ? reject(error) : resolve()));
  });

async function measureAll({ process: child, endpoint }: Started): Promise<Figures> {
  const many = Array.from({ length: clients }, () => kvClient(endpoint));
  const [one] = many as [ReturnType<typeof kvClient>];
  await new Promise<void>((resolve, reject) => {
    one.waitForReady(Date.now() + startMs, (error) => (error ? reject(error) : resolve()));
  });
  const keyOf = (n: number) => Buffer.from(`/registry/pods/default/pod-${String(n % keys).padStart(6, '0')}`);
  let n = 0;
  const put = (client: ReturnType<typeof kvClient>) => promised(client, client.Put, { key: keyOf(n++), value });
  const range = (client: ReturnType<typeof kvClient>) => promised(client, client.Range, { key: keyOf(n++) });
  const page = { key: Buffer.from('/registry/pods/'), range_end: Buffer.from('/registry/pods0') };
  // Also warms both up.
  for (let i = 0; i < keys; i++) await put(one);
  try {
    return {
      serialPut: await measure(child.pid!, [one], put),
      put100: await measure(child.pid!, many, put),
      range1: await measure(child.pid!, [one], range),
      range1000: await measure(child.pid!, [one], (client) => promised(client, client.Range, page)),
    };
  } finally {
    for (const client of many) client.close();
  }
}

/** Each client does one operation after another. */
async function measure<C>(pid: number, using: readonly C[], work: (client: C) => Promise<void>): Promise<Figure> {
  const cpu = cpuSeconds(pid);
  const start = performance.now();
  let operations = 0;
  const run = async (client: C) => {
    while (performance.now() - start < measureMs) {
      await work(client);
      operations++;
    }
  };
  await Promise.all(using.map(run));
  const seconds = (performance.now() - start) / 1000;
  const micros = ((cpuSeconds(pid) - cpu) / operations) * 1e6;
  return { rate: Math.round(operations / seconds), cpuMicros: Number(micros.toFixed(1)) };
}

/** CPU seconds a process has used so far, all threads (Linux). */
function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}
