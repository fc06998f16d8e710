import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '../kit';
import { describeStoreContract } from '../testkit/store-contract';
import { openLmdbStore } from './index';

describeStoreContract('the LMDB store', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'pilothouse-store-'));
  const store = await openLmdbStore({ directory, logger: silentLogger });
  return {
    store,
    async close() {
      await store.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
});
