// The commands on a store's files while nothing runs on them: check, dump and snapshots. They go under `store`.

import { type Command, Option } from 'commander';
import { PilothouseError } from '../../kit';
import type { HistoryRecord, StoreReport } from '../../store';

/** Where the answers go; resolves when there is room for more. */
export type Print = (line: string) => void | Promise<void>;

/** Loaded when a command needs it, so that no other command pays for the database. */
const loadStore = () => import('../../store');

const directoryArgument = ['<directory>', 'data directory of the store; nothing may be running on it'] as const;

/** Adds `check`, `dump` and `snapshot save|restore|status` to the command `store`. */
export function addOfflineStoreCommands(command: Command, print: Print = printToTerminal): void {
  command
    .command('check')
    .description('check every record of a store that is not running')
    .argument(...directoryArgument)
    .option('--json', 'print JSON')
    .action(async (directory: string, flags: { json?: boolean }) => {
      const report = await (await loadStore()).checkStore(directory);
      await print(flags.json ? JSON.stringify(report, null, 2) : describeReport(report));
      if (report.problems.length > 0) throw damaged(report);
    });

  command
    .command('dump')
    .description('print every record of a store that is not running, a line of JSON each, in order of revision')
    .argument(...directoryArgument)
    .option('--prefix <prefix>', 'only keys that begin with this', '')
    .option('--no-values', 'leave the values out')
    .action(async (directory: string, flags: { prefix: string; values: boolean }) => {
      const prefix = Buffer.from(flags.prefix).toString('latin1');
      const { dumpStore } = await loadStore();
      for await (const record of dumpStore(directory)) {
        if (record.key.startsWith(prefix)) await print(JSON.stringify(dumped(record, flags.values)));
      }
    });

  const snapshot = command.command('snapshot').description('snapshots in the format of etcdctl');
  snapshot
    .command('save')
    .description('save a snapshot of a store that is not running')
    .argument(...directoryArgument)
    .argument('<file>', 'file to write')
    .action(async (directory: string, file: string) => {
      const { revision, bytes } = await (await loadStore()).saveOfflineSnapshot(directory, file);
      await print(`Saved revision ${revision} to ${file} (${bytes} bytes).`);
    });
  snapshot
    .command('restore')
    .description('make a store from a snapshot of ours or of an etcd 3.4 or 3.5')
    .argument('<file>', 'snapshot file')
    .requiredOption('--data-dir <directory>', 'directory to make; must be missing or empty')
    .action(async (file: string, flags: { dataDir: string }) => {
      const { revision, records, leases } = await (await loadStore()).restoreSnapshot({
        file,
        directory: flags.dataDir,
      });
      await print(`Restored revision ${revision} to ${flags.dataDir}: ${records} records, ${leases} leases.`);
    });
  snapshot
    .command('status')
    .description('check a snapshot file and tell what is in it')
    .argument('<file>', 'snapshot file')
    .addOption(new Option('-w, --write-out <format>', 'output').choices(['simple', 'json']).default('simple'))
    .action(async (file: string, flags: { writeOut: string }) => {
      const { hash, revision, totalKeys, totalBytes } = await (await loadStore()).snapshotStatus(file);
      // The names and the order of etcdctl.
      const told = { hash, revision, totalKey: totalKeys, totalSize: totalBytes };
      const simple = `${hash.toString(16)}, ${revision}, ${totalKeys}, ${totalBytes}`;
      await print(flags.writeOut === 'json' ? JSON.stringify(told) : simple);
    });

  for (const added of [...command.commands, ...snapshot.commands]) {
    added.exitOverride().configureOutput({ writeErr: () => undefined });
  }
}

function describeReport(report: StoreReport): string {
  const { problems, revision, compactionScheduled, compactionFinished, size } = report;
  const unfinished = compactionFinished < compactionScheduled ? ' (to be finished at the next start)' : '';
  return [
    ...problems.map((problem) => `problem: ${problem}`),
    `revision ${revision}, compacted at ${compactionScheduled}${unfinished}`,
    `${report.keys} keys, ${report.records} records, ${report.tombstones} of them deletions, ${report.leases} leases`,
    `${report.keyBytes} bytes of keys, ${report.valueBytes} bytes of values`,
    `${size.total} bytes on disk, ${size.inUse} in use`,
    problems.length === 0 ? 'The store is sound.' : 'The store is damaged.',
  ].join('\n');
}

function damaged(report: StoreReport): PilothouseError {
  return new PilothouseError({
    code: 'STORE_DAMAGED',
    message: `the store has ${report.problems.length} problems`,
    hint: 'Restore the latest snapshot into a new directory, and keep this one for a closer look.',
  });
}

/** Bytes that are text are told as text, others in base64. */
function dumped(record: HistoryRecord, withValue: boolean): Record<string, unknown> {
  const { modRevision, sub, tombstone, createRevision, version, lease, value } = record;
  const key = readable(Buffer.from(record.key, 'latin1'), 'key');
  const place = { revision: modRevision, sub, ...key };
  if (tombstone) return { ...place, deleted: true };
  const leased = lease === 0n ? {} : { lease: BigInt.asUintN(64, lease).toString(16) };
  const shown = withValue ? readable(value, 'value') : { valueBytes: value.length };
  return { ...place, createRevision, version, ...leased, ...shown };
}

function readable(bytes: Buffer, name: string): Record<string, string> {
  const text = bytes.toString();
  return Buffer.from(text).equals(bytes) ? { [name]: text } : { [`${name}Base64`]: bytes.toString('base64') };
}

function printToTerminal(line: string): void | Promise<void> {
  if (process.stdout.write(`${line}\n`)) return undefined;
  return new Promise((resolve) => {
    process.stdout.once('drain', resolve);
  });
}
