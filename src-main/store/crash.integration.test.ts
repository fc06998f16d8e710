// Kills a writing process at a random moment, again and again on the same directory: whatever it was told is durable
// must be there afterwards, whole transactions only, and a watch must have been told exactly what was written.
// PILOTHOUSE_CRASH_ROUNDS sets how often; the long run is 200.

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { silentLogger, withDeadline } from '../kit';
import { checkStore, openLmdbStore } from './index';

const rounds = Number(process.env['PILOTHOUSE_CRASH_ROUNDS'] ?? 4);
/** In a long run every round writes less, as each must read what all before it wrote. */
const mostAcknowledgements = rounds > 20 ? 600 : 3000;
const roundMs = 120_000;
let directory: string;
let child: ChildProcess | undefined;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'pilothouse-store-'));
});

afterEach(async () => {
  child?.kill('SIGKILL');
  await rm(directory, { recursive: true, force: true });
});

interface Line {
  key: string;
  revision: number;
}

function parse(line: string): Line {
  const [key, revision] = line.slice(1).split(' ');
  return { key: key!, revision: Number(revision) };
}

/** Starts the writer and kills it once `acknowledgements` lines came; answers the lines. */
function writeAndKill(round: number, acknowledgements: number): Promise<string[]> {
  const writer = join(import.meta.dirname, 'testing', 'crash-writer.ts');
  return withDeadline({ ms: roundMs, what: 'store writer' }, (signal) => {
    return new Promise((resolve, reject) => {
      const started = spawn(process.execPath, ['--import', 'tsx', writer, directory, String(round)], {
        stdio: ['ignore', 'pipe', 'pipe'],
        signal,
        killSignal: 'SIGKILL',
      });
      child = started;
      let output = '';
      let errors = '';
      let told = 0;
      started.stderr.on('data', (data: Buffer) => {
        errors += data.toString();
      });
      started.stdout.on('data', (data: Buffer) => {
        const text = data.toString();
        output += text;
        told += text.split('+').length - 1;
        if (told > acknowledgements) started.kill('SIGKILL');
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
  it('has every acknowledged write, no half transaction, and told its watch the truth', {
    timeout: rounds * roundMs,
  }, async () => {
    const acknowledged: Line[] = [];
    for (let round = 0; round < rounds; round++) {
      const lines = await writeAndKill(round, 200 + Math.floor(Math.random() * mostAcknowledgements));
      acknowledged.push(...lines.filter((line) => line.startsWith('+')).map(parse));
      const watched = lines.filter((line) => line.startsWith('=')).map(parse);
      const store = await openLmdbStore({ directory, logger: silentLogger });
      const { kvs } = await store.range({ key: 'w', rangeEnd: 'x', keysOnly: true });
      const found = new Map(kvs.map((kv) => [kv.key, kv]));
      expect(acknowledged.length).toBeGreaterThan(200);
      const missing = acknowledged.filter(({ key, revision }) => found.get(key)?.modRevision !== revision);
      expect(missing).toEqual([]);
      // Each transaction writes a key and its twin, at one revision.
      const torn = kvs.filter((kv) => !kv.key.endsWith('~') && found.get(`${kv.key}~`)?.modRevision !== kv.modRevision);
      expect(torn).toEqual([]);
      // The watch was told all of this round's writes up to the last it was told of, in order, each once.
      const last = watched[watched.length - 1]!.revision;
      const mine = kvs.filter(({ key, modRevision }) => key.startsWith(`w${round}/`) && modRevision < last);
      const order = (line: Line) => `${String(line.revision).padStart(9, '0')} ${line.key}`;
      const expected = mine.map(({ key, modRevision: revision }) => order({ key, revision })).sort();
      expect(watched.filter(({ revision }) => revision < last).map(order)).toEqual(expected);
      // The writer compacts only when the churned key is deleted: if it lives, it was made anew since.
      const churned = (await store.range({ key: 'churn' })).kvs[0];
      if (churned) expect(churned.modRevision).toBeGreaterThan(store.compactRevision());
      await store.close();
      expect((await checkStore(directory)).problems).toEqual([]);
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
