// The command line's `store` group: the store without a cluster around it.

import type { Command } from 'commander';
import { createLogger } from '../../services';
import { addOfflineStoreCommands } from './offline';
import type { ServeFlags } from './serve-flags';

/** Adds `store` and its commands. */
export function addStoreCommands(program: Command): void {
  const store = program.command('store').description("the store by itself, for etcd's own tools");
  store
    .command('serve')
    .description('serve a store as an etcd server, in the foreground')
    .requiredOption('--data-dir <directory>', 'directory of the store; made when missing')
    .option('--name <name>', 'name of the member', 'default')
    .option('--listen-client-urls <urls>', 'where clients connect', 'http://127.0.0.1:2379')
    .option('--listen-metrics-urls <urls>', 'more addresses for /health and /metrics')
    .option('--cert-file <path>', 'certificate of the server, for https')
    .option('--key-file <path>', 'key of the certificate')
    .option('--trusted-ca-file <path>', 'CA that client certificates are verified with')
    .option('--client-cert-auth', 'turn away clients without a valid certificate')
    .option('--quota-backend-bytes <bytes>', 'size at which the store refuses to grow; 0 = 2 GiB, below 0 = none', '0')
    .option('--max-request-bytes <bytes>', 'largest request that writes', '1572864')
    .option('--auto-compaction-mode <mode>', 'periodic or revision', 'periodic')
    .option('--auto-compaction-retention <kept>', 'a time such as 10m, hours as a number, or revisions; 0 = off', '0')
    .action(serveUntilSignal);
  addOfflineStoreCommands(store);
}

async function serveUntilSignal(flags: ServeFlags): Promise<void> {
  // Loaded here, so that no other command pays for the database and gRPC.
  const [{ serveStore }, { parseServeFlags }] = await Promise.all([import('./serve'), import('./serve-flags')]);
  const settings = parseServeFlags(flags);
  const stopped = new Promise<void>((resolve) => {
    process.once('SIGINT', () => resolve());
    process.once('SIGTERM', () => resolve());
  });
  const { server, stop } = await serveStore(settings, createLogger({ level: 'warn' }));
  console.log(`ready to serve client requests on ${server.urls.join(',')}`);
  await stopped;
  await stop();
}
