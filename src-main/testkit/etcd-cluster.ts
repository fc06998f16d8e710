// A real etcd of one or more members on loopback ports, in a temporary folder; each member can be killed and started.

import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { once } from 'node:events';
import { sleep, withDeadline } from '../kit';

const binary = '/usr/bin/etcd';
/** Debian's etcd-server. */
export const hasEtcd = existsSync(binary);

export interface EtcdMember {
  readonly name: string;
  readonly endpoint: string;
  /** kill -9. */
  kill(): Promise<void>;
  /** Starts it again on its data. */
  start(): void;
  isLeader(): Promise<boolean>;
  /** Resolves when it can write. */
  healthy(): Promise<void>;
}

export interface EtcdCluster {
  readonly members: readonly EtcdMember[];
  readonly endpoints: string[];
  leader(): Promise<EtcdMember>;
  /** Ends all processes and removes the folder. */
  stop(): Promise<void>;
}

const startMs = 30_000;
const pollMs = 100;

/** Resolves when every member is ready for writes. `flags` are given to every member. */
export async function startEtcdCluster(options: { members?: number; flags?: string[] } = {}): Promise<EtcdCluster> {
  const { members: size = 1, flags = [] } = options;
  const directory = await mkdtemp(join(tmpdir(), 'pilothouse-etcd-'));
  const ports = await freePorts(size * 2);
  const plans = Array.from({ length: size }, (_, i) => ({
    name: `m${i}`,
    client: `http://127.0.0.1:${ports[2 * i]}`,
    peer: `http://127.0.0.1:${ports[2 * i + 1]}`,
  }));
  const initial = plans.map(({ name, peer }) => `${name}=${peer}`).join(',');
  const members = plans.map((plan) => new MemberProcess({ ...plan, directory, initial, flags }));
  const cluster: EtcdCluster = {
    members,
    endpoints: plans.map(({ client }) => client),
    async leader() {
      return withDeadline({ ms: startMs, what: 'a leader of the etcd cluster' }, async (signal) => {
        for (;;) {
          for (const member of members) if (await member.isLeader()) return member;
          await sleep(pollMs, { signal });
        }
      });
    },
    async stop() {
      await Promise.all(members.map((member) => member.kill()));
      await rm(directory, { recursive: true, force: true });
    },
  };
  try {
    for (const member of members) member.start();
    await Promise.all(members.map((member) => member.healthy()));
    return cluster;
  } catch (error) {
    await cluster.stop();
    throw error;
  }
}

interface MemberPlan {
  name: string;
  client: string;
  peer: string;
  directory: string;
  initial: string;
  flags: string[];
}

class MemberProcess implements EtcdMember {
  readonly name: string;
  readonly endpoint: string;
  private child: ChildProcess | undefined;

  constructor(private readonly plan: MemberPlan) {
    this.name = plan.name;
    this.endpoint = plan.client;
  }

  start(): void {
    const { name, client, peer, directory, initial, flags } = this.plan;
    const own = ['--name', name, '--data-dir', join(directory, name), '--log-level', 'error'];
    const clientUrls = ['--listen-client-urls', client, '--advertise-client-urls', client];
    const peerUrls = ['--listen-peer-urls', peer, '--initial-advertise-peer-urls', peer, '--initial-cluster', initial];
    this.child = spawn(binary, [...own, ...clientUrls, ...peerUrls, ...flags], { stdio: 'ignore' });
  }

  async kill(): Promise<void> {
    const { child } = this;
    this.child = undefined;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  }

  async isLeader(): Promise<boolean> {
    if (!this.child) return false;
    const status = await ask(`${this.endpoint}/v3/maintenance/status`, { method: 'POST', body: '{}' });
    const { leader, header } = (status ?? {}) as { leader?: string; header?: { member_id: string } };
    return leader !== undefined && leader === header?.member_id;
  }

  /** Resolves when it can write. */
  async healthy(): Promise<void> {
    await withDeadline({ ms: startMs, what: `etcd member ${this.name}` }, async (signal) => {
      for (;;) {
        const answer = (await ask(`${this.endpoint}/health`)) as { health?: string } | undefined;
        if (answer?.health === 'true') return;
        await sleep(pollMs, { signal });
      }
    });
  }
}

/** Undefined while the member does not answer. */
async function ask(url: string, init: RequestInit = {}): Promise<unknown> {
  try {
    const response = await fetch(url, { ...init, signal: AbortSignal.timeout(2_000) });
    return response.ok ? await response.json() : undefined;
  } catch {
    return undefined;
  }
}

async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer().listen(0, '127.0.0.1');
      await once(server, 'listening');
      return server;
    }),
  );
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  for (const server of servers) server.close();
  await Promise.all(servers.map((server) => once(server, 'close')));
  return ports;
}
