// A process of its own for the benchmark: our endpoint over a store in the directory given. Prints its URL.

import { silentLogger } from '../../kit';
import { openLmdbStore } from '../open';
import { startEtcdServer } from './server';

async function main(): Promise<void> {
  const store = await openLmdbStore({ directory: process.argv[2]!, logger: silentLogger });
  const server = await startEtcdServer({ store, logger: silentLogger, listen: [{ host: '127.0.0.1', port: 0 }] });
  console.log(server.url);
  process.once('SIGTERM', () => {
    void server
      .stop()
      .then(() => store.close())
      .then(() => process.exit());
  });
}

void main();
