// The child process of crash.integration.test.ts: writes pairs of keys as fast as it can from several writers, compacts
// meanwhile, and prints "key revision" only after the store said the write is durable.

import { writeSync } from 'node:fs';
import { silentLogger } from '../../kit';
import { openLmdbStore, StoreError } from '../index';

const [directory, round] = process.argv.slice(2);
const value = Buffer.alloc(200, 1);

try {
  const store = await openLmdbStore({ directory: directory!, logger: silentLogger });
  let n = 0;
  const writer = async () => {
    for (;;) {
      const key = `w${round}/${n++}`;
      const put = (name: string) => ({ type: 'put' as const, request: { key: name, value } });
      const { revision } = await store.txn({ compare: [], success: [put(key), put(`${key}~`)], failure: [] });
      writeSync(1, `${key} ${revision}\n`);
    }
  };
  const churner = async () => {
    for (;;) {
      for (let i = 0; i < 20; i++) await store.put({ key: 'churn', value });
      await store.deleteRange({ key: 'churn' });
      await store.compact(store.revision());
    }
  };
  await Promise.all([churner(), ...Array.from({ length: 16 }, writer)]);
} catch (error) {
  console.error(error instanceof StoreError ? error.code : error);
  process.exitCode = 1;
}
