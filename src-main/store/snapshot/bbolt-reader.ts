// Reads a bbolt database file, of any page size, trusting nothing in it: checksums, page types, bounds, the order of
// keys and the number of pages visited are all checked, so that a damaged file ends in SNAPSHOT_CORRUPT and never in
// an endless walk or wrong data. Memory is bounded by one page a level and a window of read-ahead.

import type { FileHandle } from 'node:fs/promises';
import {
  bucketFlag,
  bucketHeaderSize,
  decodeMetaPage,
  elementSize,
  type Meta,
  metaSize,
  pageFlags,
  pageHeaderSize,
  readPageHeader,
} from './bbolt-format';
import type { BboltEntry } from './bbolt-writer';
import { StoreError } from '../store-error';

const pageSizes = [4096, 1024, 2048, 8192, 16384, 32768, 65536];
const windowBytes = 256 * 1024;
const deepestTree = 64;
/** No value that etcd accepts comes near this. */
const largestPageBytes = 512 * 1024 * 1024;

interface Element extends BboltEntry {
  flags: number;
  /** The child page, of a branch's element. */
  child: number;
}

/** A bucket's place: its root page, or its one page when that is inline. */
interface Bucket {
  name: string;
  root: number;
  inline: Buffer | undefined;
}

export function corrupt(reason: string, details: Record<string, unknown> = {}): StoreError {
  return new StoreError('SNAPSHOT_CORRUPT', {
    hint: `Take the snapshot again, or use another one: ${reason}.`,
    details: { reason, ...details },
  });
}

export class BboltReader {
  private window: { start: number; bytes: Buffer } | undefined;
  private buckets: Bucket[] = [];

  private constructor(
    private readonly file: FileHandle,
    private readonly meta: Meta,
  ) {}

  /** `bytes`: how much of the file is the database. Errors: SNAPSHOT_CORRUPT. */
  static async open(file: FileHandle, bytes: number): Promise<BboltReader> {
    const meta = await findMeta(file, bytes);
    if (!pageSizes.includes(meta.pageSize)) throw corrupt('its page size is none', { pageSize: meta.pageSize });
    if (meta.pageCount * meta.pageSize > bytes) {
      throw corrupt('it is cut short', { expected: meta.pageCount * meta.pageSize, actual: bytes });
    }
    const reader = new BboltReader(file, meta);
    for await (const elements of reader.leaves({ name: '', root: meta.root, inline: undefined })) {
      for (const { key, value, flags } of elements) {
        if (!(flags & bucketFlag)) continue;
        if (value.length < bucketHeaderSize) throw corrupt('a bucket has no head');
        const root = Number(value.readBigUInt64LE(0));
        const inline = root === 0 ? Buffer.from(value.subarray(bucketHeaderSize)) : undefined;
        reader.buckets.push({ name: key.toString('latin1'), root, inline });
      }
    }
    return reader;
  }

  /** The size that the pages make up, without what may follow them. */
  get bytes(): number {
    return this.meta.pageCount * this.meta.pageSize;
  }

  bucketNames(): string[] {
    return this.buckets.map((bucket) => bucket.name);
  }

  /** The entries of a bucket in order, a page at a time; nothing when there is no such bucket. */
  async *entries(name: string): AsyncGenerator<readonly BboltEntry[]> {
    const bucket = this.buckets.find((one) => one.name === name);
    if (bucket) yield* this.leaves(bucket);
  }

  private async *leaves(bucket: Bucket): AsyncGenerator<Element[]> {
    const { inline } = bucket;
    if (inline) {
      const elements = this.elementsOf(inline, pageFlags.leaf);
      checkOrder(elements, undefined);
      yield elements;
      return;
    }
    let last: Buffer | undefined;
    let visited = 0;
    // The path down to the page to read next; of each branch the children still to visit.
    const path: number[][] = [[bucket.root]];
    while (path.length > 0) {
      const id = path[path.length - 1]!.shift();
      if (id === undefined) {
        path.pop();
        continue;
      }
      if (++visited > this.meta.pageCount || path.length > deepestTree) throw corrupt('its pages form a circle');
      const page = await this.readPage(id);
      const { flags } = readPageHeader(page);
      const elements = this.elementsOf(page, flags);
      if (flags === pageFlags.branch) {
        path.push(elements.map((element) => element.child));
        continue;
      }
      last = checkOrder(elements, last);
      yield elements;
    }
  }

  private elementsOf(page: Buffer, expected: number): Element[] {
    if (page.length < pageHeaderSize) throw corrupt('a page has no head');
    const { id, flags, count } = readPageHeader(page);
    const isLeaf = flags === pageFlags.leaf;
    if (flags !== expected || (!isLeaf && flags !== pageFlags.branch))
      throw corrupt('a page has no known type', { id });
    if (pageHeaderSize + count * elementSize > page.length) throw corrupt('a page has too many elements', { id });
    const elements: Element[] = [];
    for (let i = 0; i < count; i++) {
      const at = pageHeaderSize + i * elementSize;
      const [keyAt, keySize, valueSize] = isLeaf
        ? [at + page.readUInt32LE(at + 4), page.readUInt32LE(at + 8), page.readUInt32LE(at + 12)]
        : [at + page.readUInt32LE(at), page.readUInt32LE(at + 4), 0];
      const end = keyAt + keySize + valueSize;
      if (keyAt < pageHeaderSize + count * elementSize || end > page.length) {
        throw corrupt('an element lies outside its page', { id, element: i });
      }
      elements.push({
        key: page.subarray(keyAt, keyAt + keySize),
        value: page.subarray(keyAt + keySize, end),
        flags: isLeaf ? page.readUInt32LE(at) : 0,
        child: isLeaf ? 0 : Number(page.readBigUInt64LE(at + 8)),
      });
    }
    return elements;
  }

  private async readPage(id: number): Promise<Buffer> {
    const { pageSize, pageCount } = this.meta;
    if (id < 2 || id >= pageCount) throw corrupt('a page lies outside the file', { id });
    const head = await this.read(id * pageSize, pageSize);
    const header = readPageHeader(head);
    if (header.id !== id) throw corrupt('a page has another number than its place', { id, found: header.id });
    if (header.overflow === 0) return head;
    const bytes = (header.overflow + 1) * pageSize;
    if (id + header.overflow >= pageCount || bytes > largestPageBytes) throw corrupt('a page is too long', { id });
    return this.read(id * pageSize, bytes);
  }

  /** Bytes that stay as they are: the window is never written again, only replaced. */
  private async read(start: number, size: number): Promise<Buffer> {
    const { window } = this;
    if (window && start >= window.start && start + size <= window.start + window.bytes.length) {
      return window.bytes.subarray(start - window.start, start - window.start + size);
    }
    const wanted = Math.min(Math.max(size, windowBytes), this.bytes - start);
    const bytes = Buffer.allocUnsafeSlow(wanted);
    const { bytesRead } = await this.file.read(bytes, 0, wanted, start);
    if (bytesRead < size) throw corrupt('it is cut short', { start, size });
    this.window = { start, bytes: bytes.subarray(0, bytesRead) };
    return bytes.subarray(0, size);
  }
}

async function findMeta(file: FileHandle, bytes: number): Promise<Meta> {
  const found: Meta[] = [];
  const head = Buffer.alloc(pageHeaderSize + metaSize);
  // The first copy tells the page size; when only the second is whole it is at one of the usual places.
  for (const start of [0, ...pageSizes]) {
    if (start + head.length > bytes) continue;
    const { bytesRead } = await file.read(head, 0, head.length, start);
    const meta = bytesRead === head.length ? decodeMetaPage(head) : undefined;
    if (meta && (start === 0 || start === meta.pageSize)) found.push(meta);
  }
  const [newest] = found.sort((a, b) => (a.transaction > b.transaction ? -1 : 1));
  if (!newest) throw corrupt('it has no valid head, so it is no etcd snapshot');
  return newest;
}

/** Answers the last key. */
function checkOrder(elements: readonly Element[], before: Buffer | undefined): Buffer | undefined {
  let last = before;
  for (const { key } of elements) {
    if (last && Buffer.compare(last, key) >= 0) throw corrupt('its keys are not in order');
    last = key;
  }
  return last;
}
