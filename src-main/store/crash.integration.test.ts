// Kills a writing process at a random moment, again and again on the same directory: whatever it was told is durable
// must be there afterwards, whole transactions only.

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { silentLogger, withDeadline } from '../kit';
import { openLmdbStore } from './index';

const rounds = 4;
let directory: string;
let child: ChildProcess | undefined;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'pilothouse-store-'));
});

afterEach(async () => {
  child?.kill('SIGKILL');
  await rm(directory, { recursive: true, force: true });
});

/** Starts the writer and kills it once `acknowledgements` lines came; answers the lines. */
function writeAndKill(round: number, acknowledgements: number): Promise<string[]> {
  const writer = join(import.meta.dirname, 'testing', 'crash-writer.ts');
  return withDeadline({ ms: 30_000, what: 'store writer' }, (signal) => {
    return new Promise((resolve, reject) => {
      const started = spawn(process.execPath, ['--import', 'tsx', writer, directory, String(round)], {
        stdio: ['ignore', 'pipe', 'pipe'],
        signal,
        killSignal: 'SIGKILL',
      });
      child = started;
      let output = '';
      let errors = '';
      started.stderr.on('data', (data: Buffer) => {
        errors += data.toString();
      });
      started.stdout.on('data', (data: Buffer) => {
        output += data.toString();
        if (output.split('\n').length > acknowledgements) started.kill('SIGKILL');
      });
      started.on('error', reject);
      started.on('close', (_code, killedBy) => {
        if (killedBy !== 'SIGKILL') reject(new Error(`the writer ended by itself: ${errors}`));
        // The last line may be cut short.
        else resolve(output.split('\n').slice(0, -1));
      });
    });
  });
}

describe('a store whose process is killed', () => {
  it('has every acknowledged write and no half transaction', async () => {
    const acknowledged: { key: string; revision: number }[] = [];
    for (let round = 0; round < rounds; round++) {
      const lines = await writeAndKill(round, 200 + Math.floor(Math.random() * 3000));
      for (const line of lines) {
        const [key, revision] = line.split(' ');
        acknowledged.push({ key: key!, revision: Number(revision) });
      }
      const store = await openLmdbStore({ directory, logger: silentLogger });
      const { kvs } = await store.range({ key: 'w', rangeEnd: 'x' });
      const found = new Map(kvs.map((kv) => [kv.key, kv]));
      expect(acknowledged.length).toBeGreaterThan(200);
      const missing = acknowledged.filter(({ key, revision }) => found.get(key)?.modRevision !== revision);
      expect(missing).toEqual([]);
      // Each transaction writes a key and its twin, at one revision.
      const torn = kvs.filter((kv) => !kv.key.endsWith('~') && found.get(`${kv.key}~`)?.modRevision !== kv.modRevision);
      expect(torn).toEqual([]);
      // The writer compacts only when the churned key is deleted: if it lives, it was made anew since.
      const churned = (await store.range({ key: 'churn' })).kvs[0];
      if (churned) expect(churned.modRevision).toBeGreaterThan(store.compactRevision());
      await store.close();
    }
  });

  it('is not opened twice at once', async () => {
    const store = await openLmdbStore({ directory, logger: silentLogger });
    await expect(openLmdbStore({ directory, logger: silentLogger })).rejects.toMatchObject({ code: 'STORE_LOCKED' });
    await expect(writeAndKill(0, 1)).rejects.toThrow('STORE_LOCKED');
    await store.close();
    const again = await openLmdbStore({ directory, logger: silentLogger });
    await again.close();
  });
});
