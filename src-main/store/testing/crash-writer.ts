// The child process of crash.integration.test.ts: writes pairs of keys as fast as it can from several writers, compacts
// and now and then defragments meanwhile, and watches. It prints "+key revision" only after the store said the write is
// durable, and "=key revision" for each event of its watch.

import { writeSync } from 'node:fs';
import { silentLogger } from '../../kit';
import { openLmdbStore, StoreError } from '../index';

const [directory, round] = process.argv.slice(2);
const value = Buffer.alloc(200, 1);

try {
  const store = await openLmdbStore({ directory: directory!, logger: silentLogger });
  store.watch(
    { key: `w${round}/`, rangeEnd: `w${round}0` },
    {
      onEvents: (events) => void writeSync(1, events.map(({ kv }) => `=${kv.key} ${kv.modRevision}\n`).join('')),
      onEnd: () => undefined,
    },
  );
  let n = 0;
  const writer = async () => {
    for (;;) {
      const key = `w${round}/${n++}`;
      const put = (name: string) => ({ type: 'put' as const, request: { key: name, value } });
      const { revision } = await store.txn({ compare: [], success: [put(key), put(`${key}~`)], failure: [] });
      writeSync(1, `+${key} ${revision}\n`);
    }
  };
  const churner = async () => {
    for (;;) {
      for (let i = 0; i < 20; i++) await store.put({ key: 'churn', value });
      await store.deleteRange({ key: 'churn' });
      await store.compact(store.revision());
      if (Number(round) % 3 === 2) await store.defragment();
    }
  };
  await Promise.all([churner(), ...Array.from({ length: 16 }, writer)]);
} catch (error) {
  console.error(error instanceof StoreError ? error.code : error);
  process.exitCode = 1;
}
