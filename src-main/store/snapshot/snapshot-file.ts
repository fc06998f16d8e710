// A snapshot file, ours or a real etcd's, opened for reading: its checksum and structure are checked, its buckets are
// decoded. The checksum of 32 bytes may be missing, as in a copy of an etcd's own database file.

import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import type { HistoryRecord, LeaseFacts } from '../store';
import { StoreError } from '../store-error';
import { BboltReader, corrupt } from './bbolt-reader';
import type { BboltEntry } from './bbolt-writer';
import { crc32c } from './crc32c';
import { decodeRevisionKey, metaKeys } from './etcd-buckets';
import { decodeKeyValue, decodeLeaseMessage } from './key-value-codec';

const checksumBytes = 32;
/** A database is whole sectors, so a rest of this many bytes can only be the checksum. */
const sectorBytes = 512;
const readBytes = 1024 * 1024;

export interface SnapshotStatus {
  /** As `etcdctl snapshot status` counts: CRC-32C over all buckets, all keys of all buckets, bytes of the database. */
  hash: number;
  revision: number;
  totalKeys: number;
  totalBytes: number;
  hasChecksum: boolean;
}

export class SnapshotFile {
  private constructor(
    private readonly handle: FileHandle,
    private readonly reader: BboltReader,
    readonly hasChecksum: boolean,
  ) {}

  /** Checks the checksum and the head. Errors: SNAPSHOT_CORRUPT, and those of opening a file. */
  static async open(file: string): Promise<SnapshotFile> {
    const handle = await open(file, 'r');
    try {
      const { size } = await handle.stat();
      const rest = size % sectorBytes;
      if (rest !== 0 && rest !== checksumBytes) throw corrupt('it is cut short');
      const hasChecksum = rest === checksumBytes;
      const bytes = hasChecksum ? size - checksumBytes : size;
      if (hasChecksum) await verifyChecksum(handle, bytes);
      return new SnapshotFile(handle, await BboltReader.open(handle, bytes), hasChecksum);
    } catch (error) {
      await handle.close();
      throw named(error, file);
    }
  }

  /** All records in order of revision, a page at a time. */
  async *records(): AsyncGenerator<HistoryRecord[]> {
    this.requireBucket('key');
    let last = { main: 0, sub: -1 };
    for await (const page of this.reader.entries('key')) {
      const records = page.map(decodeRecord);
      for (const { modRevision: main, sub } of records) {
        if (main < last.main || (main === last.main && sub <= last.sub))
          throw corrupt('its revisions are not in order');
        last = { main, sub };
      }
      yield records;
    }
  }

  /** `now`: milliseconds since the epoch at which the remaining times start to run. */
  async leases(now: number): Promise<LeaseFacts[]> {
    const leases: LeaseFacts[] = [];
    for (const { key, value } of await this.all('lease')) {
      const { id, ttl, remaining } = decodeLeaseMessage(value);
      if (key.length !== 8 || key.readBigInt64BE(0) !== id) throw corrupt('a lease has another id than its key');
      const left = remaining > 0n && remaining < ttl ? remaining : ttl;
      leases.push({ id, ttlSeconds: Number(ttl), expiresAt: now + Number(left) * 1000 });
    }
    return leases;
  }

  /** The revisions of the last compaction begun and of the last completed; 0 when there was none. */
  async compactionMarks(): Promise<{ scheduled: number; finished: number }> {
    const entries = await this.all('meta');
    const mark = (key: Buffer) => {
      const entry = entries.find((one) => one.key.equals(key));
      return entry ? decodeRevisionKey(entry.value).main : 0;
    };
    const finished = mark(metaKeys.finished);
    return { scheduled: Math.max(mark(metaKeys.scheduled), finished), finished };
  }

  /** A small bucket, whole. */
  async all(bucket: string): Promise<BboltEntry[]> {
    const entries: BboltEntry[] = [];
    for await (const page of this.reader.entries(bucket)) {
      for (const { key, value } of page) entries.push({ key: Buffer.from(key), value: Buffer.from(value) });
    }
    return entries;
  }

  /** Walks the whole file. */
  async status(): Promise<SnapshotStatus> {
    this.requireBucket('key');
    let hash = 0;
    let totalKeys = 0;
    let revision = 0;
    for (const name of this.reader.bucketNames()) {
      hash = crc32c(hash, Buffer.from(name, 'latin1'));
      for await (const page of this.reader.entries(name)) {
        for (const { key, value } of page) hash = crc32c(crc32c(hash, key), value);
        totalKeys += page.length;
        const last = page[page.length - 1];
        if (name === 'key' && last) revision = decodeRevisionKey(last.key).main;
      }
    }
    return { hash, revision, totalKeys, totalBytes: this.reader.bytes, hasChecksum: this.hasChecksum };
  }

  async close(): Promise<void> {
    await this.handle.close();
  }

  private requireBucket(name: string): void {
    if (!this.reader.bucketNames().includes(name))
      throw corrupt(`it has no bucket "${name}", so it is no etcd snapshot`);
  }
}

/** Opens, reads and closes a snapshot file; errors name the file. */
export async function withSnapshotFile<T>(file: string, work: (snapshot: SnapshotFile) => Promise<T>): Promise<T> {
  const snapshot = await SnapshotFile.open(file);
  try {
    return await work(snapshot);
  } catch (error) {
    throw named(error, file);
  } finally {
    await snapshot.close();
  }
}

/** What `etcdctl snapshot status` tells. Errors: SNAPSHOT_CORRUPT. */
export async function snapshotStatus(file: string): Promise<SnapshotStatus> {
  return withSnapshotFile(file, (snapshot) => snapshot.status());
}

function decodeRecord({ key, value }: BboltEntry): HistoryRecord {
  const { main, sub, tombstone } = decodeRevisionKey(key);
  const kv = decodeKeyValue(value);
  if (kv.key.length === 0) throw corrupt('a record has no key', { revision: main });
  if (!tombstone && kv.modRevision !== main) throw corrupt('a record has another revision than its key', { main });
  return tombstone
    ? { ...kv, createRevision: 0, version: 0, lease: 0n, modRevision: main, sub, tombstone }
    : { ...kv, sub, tombstone };
}

async function verifyChecksum(handle: FileHandle, bytes: number): Promise<void> {
  const hash = createHash('sha256');
  const buffer = Buffer.allocUnsafe(readBytes);
  for (let at = 0; at < bytes; ) {
    const { bytesRead } = await handle.read(buffer, 0, Math.min(readBytes, bytes - at), at);
    if (bytesRead === 0) throw corrupt('it is cut short');
    hash.update(buffer.subarray(0, bytesRead));
    at += bytesRead;
  }
  const expected = Buffer.alloc(checksumBytes);
  await handle.read(expected, 0, checksumBytes, bytes);
  if (!hash.digest().equals(expected)) throw corrupt('its checksum does not match its content');
}

/** The same error, telling which file it is about. */
function named(error: unknown, file: string): unknown {
  if (!(error instanceof StoreError) || error.details.file) return error;
  const { code, hint, details, cause } = error;
  return new StoreError(code, { hint, cause, details: { ...details, file } });
}
