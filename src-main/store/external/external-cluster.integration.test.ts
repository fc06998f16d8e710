import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ConfigMap, resources } from '../../api';
import type { Client } from '../../client';
import { silentLogger } from '../../kit';
import { startTestApiServer, type TestApiServer } from '../../testkit/api-server';
import { type EtcdCluster, type EtcdMember, hasEtcd, startEtcdCluster } from '../../testkit/etcd-cluster';
import { openEtcdStore } from './index';

const namespace = 'default';
const admin = { name: 'admin', groups: ['system:masters'] };
const patience = { timeout: 40_000, interval: 50 };
/** Writes that must be acknowledged after each blow. */
const writesAfterBlow = 30;

describe.skipIf(!hasEtcd)('two API servers on three members of a real etcd (etcd-server of Debian)', () => {
  let cluster: EtcdCluster;
  const servers: TestApiServer[] = [];
  let writer: Client;
  let reader: Client;
  let leader: EtcdMember;
  let follower: EtcdMember;

  async function startOn(first: EtcdMember): Promise<Client> {
    const others = cluster.endpoints.filter((endpoint) => endpoint !== first.endpoint);
    const endpoints = [first.endpoint, ...others];
    const store = await openEtcdStore({ endpoints, logger: silentLogger, keyPrefix: '/pilothouse/test' });
    const running = await startTestApiServer({ store });
    servers.push(running);
    return running.server.client(admin);
  }

  beforeAll(async () => {
    cluster = await startEtcdCluster({ members: 3 });
    leader = await cluster.leader();
    follower = cluster.members.find((member) => member !== leader)!;
    // Each server talks to a member that will be killed.
    writer = await startOn(leader);
    reader = await startOn(follower);
  });

  afterAll(async () => {
    await Promise.all(servers.map((running) => running.stop()));
    await cluster?.stop();
  });

  const configMap = (name: string): ConfigMap => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, labels: { suite: 'cluster' } },
  });

  it('answers reads through one with what was just written through the other', async () => {
    for (let i = 0; i < 20; i++) {
      const [first, second] = i % 2 === 0 ? [writer, reader] : [reader, writer];
      const made = await first.create(resources.configmaps, configMap(`seen-${i}`), { namespace });
      const read = await second.get(resources.configmaps, { namespace, name: `seen-${i}` });
      expect(read.metadata.resourceVersion).toBe(made.metadata.resourceVersion);
    }
  });

  it('loses nothing when a member is killed, then the leader', async () => {
    const acknowledged = new Map<string, string>();
    const writing = new AbortController();
    const write = async (lane: number) => {
      for (let i = 0; !writing.signal.aborted; i++) {
        const name = `kept-${lane}-${i}`;
        try {
          const made = await writer.create(resources.configmaps, configMap(name), { namespace });
          acknowledged.set(name, made.metadata.resourceVersion!);
        } catch (error) {
          // Not acknowledged: it may or may not be there.
          expect(error).toBeInstanceOf(Error);
        }
      }
    };
    const told: { name: string; version: number }[] = [];
    let ends = 0;
    const watching = new AbortController();
    // From a version on: the state a watch without one begins with comes in order of name.
    const before = await reader.list<ConfigMap>(resources.configmaps, { namespace });
    const watch = async () => {
      const { resourceVersion } = before.metadata;
      const options = { namespace, labelSelector: 'suite=cluster', resourceVersion, signal: watching.signal };
      for await (const { type, object } of reader.watch<ConfigMap>(resources.configmaps, options)) {
        expect(type).toBe('ADDED');
        const { name, resourceVersion } = object.metadata;
        told.push({ name: name!, version: Number(resourceVersion) });
      }
      if (!watching.signal.aborted) ends++;
    };
    const watched = watch();
    const lanes = [0, 1, 2].map((lane) => write(lane));
    const more = async () => {
      const goal = acknowledged.size + writesAfterBlow;
      await expect.poll(() => acknowledged.size, patience).toBeGreaterThanOrEqual(goal);
    };
    try {
      await more();
      await follower.kill();
      await more();
      follower.start();
      await follower.healthy();
      leader = await cluster.leader();
      await leader.kill();
      await cluster.leader();
      await more();
    } finally {
      writing.abort();
      await Promise.all(lanes);
    }
    for (const client of [writer, reader]) {
      const list = async () => {
        const options = { namespace, labelSelector: 'suite=cluster' };
        const { items } = await client.list<ConfigMap>(resources.configmaps, options);
        const kept = items.filter(({ metadata }) => metadata.name!.startsWith('kept'));
        return new Map(kept.map(({ metadata }) => [metadata.name!, metadata.resourceVersion!]));
      };
      // A write that was given up may still come through a moment later.
      await expect.poll(async () => (await list()).size - told.length, patience).toBe(0);
      const stored = await list();
      for (const [name, version] of acknowledged) expect(stored.get(name), name).toBe(version);
      // Each once, in order, none missing.
      const versions = told.map(({ version }) => version);
      expect(versions).toEqual(versions.toSorted((a, b) => a - b));
      expect(new Map(told.map(({ name, version }) => [name, String(version)]))).toEqual(stored);
    }
    expect(ends).toBe(0);
    watching.abort();
    await watched;
  });
});
