import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { silentLogger } from '../../kit';
import { openLmdbStore } from '../../store';
import { addOfflineStoreCommands } from './offline';

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'pilothouse-offline-'));
});

afterEach(async () => {
  await rm(directory, { recursive: true, force: true });
});

async function run(...parameters: string[]): Promise<string[]> {
  const lines: string[] = [];
  const command = new Command('store').exitOverride().configureOutput({ writeErr: () => undefined });
  addOfflineStoreCommands(command, (line) => void lines.push(line));
  await command.parseAsync(parameters, { from: 'user' });
  return lines;
}

it('checks, dumps, saves, tells and restores a store that is not running', async () => {
  const store = await openLmdbStore({ directory: join(directory, 'store'), logger: silentLogger });
  await store.put({ key: 'a', value: Buffer.from('text') });
  await store.put({ key: 'b', value: Buffer.from([0xff]) });
  await store.deleteRange({ key: 'a' });
  await expect(run('check', join(directory, 'store'))).rejects.toMatchObject({ code: 'STORE_LOCKED' });
  await store.close();

  const [report] = await run('check', join(directory, 'store'), '--json');
  expect(JSON.parse(report!)).toMatchObject({ problems: [], revision: 4, keys: 1, records: 3, tombstones: 1 });
  const dump = await run('dump', join(directory, 'store'));
  expect(dump.map((line) => JSON.parse(line) as unknown)).toEqual([
    { revision: 2, sub: 0, key: 'a', createRevision: 2, version: 1, value: 'text' },
    { revision: 3, sub: 0, key: 'b', createRevision: 3, version: 1, valueBase64: '/w==' },
    { revision: 4, sub: 0, key: 'a', deleted: true },
  ]);
  const file = join(directory, 'file');
  await run('snapshot', 'save', join(directory, 'store'), file);
  const [status] = await run('snapshot', 'status', file, '-w', 'json');
  expect(JSON.parse(status!)).toMatchObject({ revision: 4 });
  const restored = join(directory, 'restored');
  expect(await run('snapshot', 'restore', file, '--data-dir', restored)).toEqual([
    `Restored revision 4 to ${restored}: 3 records, 0 leases.`,
  ]);
  expect(await run('dump', restored)).toEqual(dump);
  expect((await run('check', restored)).join('\n')).toContain('The store is sound.');
});

it('makes nothing where there is no store', async () => {
  const nowhere = join(directory, 'nowhere');
  await expect(run('check', nowhere)).rejects.toMatchObject({ code: 'STORE_MISSING' });
  await expect(run('dump', nowhere)).rejects.toMatchObject({ code: 'STORE_MISSING' });
  await expect(run('snapshot', 'save', nowhere, join(directory, 'file'))).rejects.toMatchObject({
    code: 'STORE_MISSING',
  });
});
