import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { silentLogger } from '../../kit';
import { type EtcdCluster, hasEtcd, startEtcdCluster } from '../../testkit/etcd-cluster';
import { describeStoreContract } from '../../testkit/store-contract';
import { openEtcdStore } from './index';

const bytes = (text: string) => Buffer.from(text);

describe.skipIf(!hasEtcd)('a real etcd (etcd-server of Debian)', () => {
  for (const keyPrefix of ['', '/clusters/one/']) {
    describeStoreContract(`a store over etcd, key prefix "${keyPrefix}",`, async () => {
      const cluster = await startEtcdCluster();
      const store = await openEtcdStore({ endpoints: cluster.endpoints, logger: silentLogger, keyPrefix });
      return {
        store,
        async close() {
          await store.close();
          await cluster.stop();
        },
      };
    });
  }

  describe('shared by two stores', () => {
    let cluster: EtcdCluster;
    beforeAll(async () => {
      cluster = await startEtcdCluster();
    });
    afterAll(() => cluster?.stop());
    const open = (keyPrefix: string) =>
      openEtcdStore({ endpoints: cluster.endpoints, logger: silentLogger, keyPrefix });

    it('keeps prefixes apart, while a watch of everything follows the revision of all', async () => {
      const [one, two] = await Promise.all([open('/one/'), open('/two/')]);
      const told: { keys: string[]; revision: number }[] = [];
      const listener = {
        onEvents: (events: { kv: { key: string } }[], revision: number) =>
          told.push({ keys: events.map(({ kv }) => kv.key), revision }),
        onEnd() {},
      };
      const base = one.revision();
      one.watch({ key: '\0', rangeEnd: '\0', startRevision: base + 1 }, listener);
      await one.put({ key: 'a', value: bytes('1') });
      await two.put({ key: 'a', value: bytes('2') });
      expect((await one.range({ key: 'a', rangeEnd: '\0' })).kvs.map((kv) => `${kv.value}`)).toEqual(['1']);
      expect((await two.range({ key: '\0', rangeEnd: '\0' })).kvs.map((kv) => `${kv.value}`)).toEqual(['2']);
      expect(await one.syncRevision!()).toBe(base + 2);
      const expected = [
        { keys: ['a'], revision: base + 1 },
        { keys: [], revision: base + 2 },
      ];
      await expect.poll(() => told, { timeout: 20_000 }).toEqual(expected);
      await Promise.all([one.close(), two.close()]);
    });
  });

  it('is refused when no member answers', { timeout: 60_000 }, async () => {
    const refused = openEtcdStore({ endpoints: ['http://127.0.0.1:1'], logger: silentLogger, callMs: 500 });
    await expect(refused).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });
});
