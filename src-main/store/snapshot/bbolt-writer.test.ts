// The writer against the reader, through a file handle that is a buffer.

import type { FileHandle } from 'node:fs/promises';
import {
  array,
  assert,
  asyncProperty,
  dictionary,
  integer,
  nat,
  oneof,
  stringMatching,
  tuple,
  uint8Array,
} from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fnv1a } from './bbolt-format';
import { BboltReader } from './bbolt-reader';
import { type BboltEntry, bboltPageSize, writeBbolt } from './bbolt-writer';

function fileOf(bytes: Buffer): FileHandle {
  const read = async (target: Buffer, offset: number, length: number, position: number) => {
    return { bytesRead: bytes.copy(target, offset, position, Math.min(bytes.length, position + length)) };
  };
  return { read } as unknown as FileHandle;
}

async function written(buckets: Record<string, BboltEntry[]>): Promise<Buffer> {
  const sources = Object.entries(buckets).map(([name, entries]) => ({ name, entries: () => entries }));
  const { bytes, chunks } = await writeBbolt(sources);
  const parts: Buffer[] = [];
  for await (const chunk of chunks) parts.push(chunk);
  const file = Buffer.concat(parts);
  expect(file.length).toBe(bytes);
  return file;
}

async function readBack(file: Buffer): Promise<Record<string, BboltEntry[]>> {
  const reader = await BboltReader.open(fileOf(file), file.length);
  const buckets: Record<string, BboltEntry[]> = {};
  for (const name of reader.bucketNames()) {
    const entries: BboltEntry[] = (buckets[name] = []);
    for await (const page of reader.entries(name)) {
      for (const { key, value } of page) entries.push({ key: Buffer.from(key), value: Buffer.from(value) });
    }
  }
  return buckets;
}

/** For comparing: buffers are compared byte by byte, slowly. */
function asText(buckets: Record<string, BboltEntry[]>): Record<string, string[]> {
  const lines = (entries: BboltEntry[]) =>
    entries.map(({ key, value }) => `${key.toString('hex')} ${value.toString('hex')}`);
  return Object.fromEntries(Object.entries(buckets).map(([name, entries]) => [name, lines(entries)]));
}

function sorted(entries: [Uint8Array, Uint8Array][]): BboltEntry[] {
  const unique = new Map(entries.map(([key, value]) => [Buffer.from(key).toString('latin1'), Buffer.from(value)]));
  const all = [...unique].map(([key, value]) => ({ key: Buffer.from(key, 'latin1'), value }));
  return all.sort((a, b) => Buffer.compare(a.key, b.key));
}

describe('a bbolt file', () => {
  it('reads back as it was written, whatever the sizes', async () => {
    const key = uint8Array({ minLength: 1, maxLength: 120 });
    const value = oneof(
      uint8Array({ maxLength: 40 }),
      integer({ min: 0, max: 9000 }).map((length) => new Uint8Array(length).fill(length)),
    );
    const bucket = array(tuple(key, value), { maxLength: 40 }).map(sorted);
    await assert(
      asyncProperty(dictionary(stringMatching(/^[a-z]{1,8}$/), bucket, { maxKeys: 5 }), async (buckets) => {
        expect(asText(await readBack(await written(buckets)))).toEqual(asText(buckets));
      }),
      { numRuns: 30 },
    );
  });

  it('has as many levels as it needs', async () => {
    const entries = Array.from({ length: 30_000 }, (_, i) => {
      const key = Buffer.alloc(200);
      key.writeUInt32BE(i);
      return { key, value: Buffer.from(String(i)) };
    });
    const back = await readBack(await written({ key: entries }));
    expect(back['key']!.length).toBe(entries.length);
    expect(back['key']!.every(({ key, value }, i) => key.readUInt32BE(0) === i && String(value) === String(i))).toBe(
      true,
    );
  });

  it('is not written from entries out of order', async () => {
    const entry = (key: string) => ({ key: Buffer.from(key), value: Buffer.alloc(0) });
    await expect(written({ key: [entry('b'), entry('a')] })).rejects.toThrow('not in order');
    await expect(written({ key: [entry('a'), entry('a')] })).rejects.toThrow('not in order');
  });

  it('is read from its second head when the first is damaged, and refused without any', async () => {
    const file = await written({ key: [{ key: Buffer.from('a'), value: Buffer.from('1') }] });
    file.fill(0xff, 0, 100);
    expect(Object.keys(await readBack(file))).toEqual(['key']);
    file.fill(0xff, bboltPageSize, bboltPageSize + 100);
    await expect(readBack(file)).rejects.toMatchObject({ code: 'SNAPSHOT_CORRUPT' });
  });

  it('is refused, or read in the end, whatever bytes are damaged', async () => {
    const entries = Array.from({ length: 500 }, (_, i) => {
      return { key: Buffer.from(String(i).padStart(5, '0')), value: Buffer.alloc(i * 20, i) };
    });
    const sound = await written({ key: entries, meta: [] });
    const places = array(tuple(nat({ max: sound.length - 1 }), nat({ max: 255 })), { minLength: 1 });
    const inHeads = places.map((all) =>
      all.map(([at, byte]) => [at - (at % bboltPageSize) + (at % 64), byte] as const),
    );
    await assert(
      asyncProperty(oneof(places, inHeads), async (damages) => {
        const file = Buffer.from(sound);
        for (const [at, byte] of damages) file[at] = byte;
        try {
          await readBack(file);
        } catch (error) {
          expect(error).toMatchObject({ code: 'SNAPSHOT_CORRUPT' });
        }
      }),
      { numRuns: 60 },
    );
  });
});

it('hashes as FNV-1a does', () => {
  expect(fnv1a(Buffer.from(''))).toBe(0xcbf29ce484222325n);
  expect(fnv1a(Buffer.from('a'))).toBe(0xaf63dc4c8601ec8cn);
  expect(fnv1a(Buffer.from('foobar'))).toBe(0x85944171f73967e8n);
});
