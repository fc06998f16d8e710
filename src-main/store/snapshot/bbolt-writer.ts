// Writes a bbolt database from sorted entries as a stream. The trees are built from the bottom up: a full page goes out
// at once and its first key moves into the page of the level above, so only one page a level is in memory. The meta
// pages come first in the file and name the last page, so the shape of the trees is computed beforehand from the sizes
// alone, by the same packing.

import {
  bucketFlag,
  bucketHeaderSize,
  elementSize,
  encodeMetaPage,
  pageFlags,
  pageHeaderSize,
  writePageHeader,
} from './bbolt-format';

export interface BboltEntry {
  key: Buffer;
  value: Buffer;
}

export interface BboltBucket {
  name: string;
  /** In strictly ascending order of keys. */
  entries(): Iterable<BboltEntry>;
  /** The lengths of the same entries in the same order; when absent the entries are walked twice. */
  sizes?(): Iterable<{ key: number; value: number }>;
}

export interface BboltFile {
  /** The exact number of bytes that `chunks` will yield. */
  bytes: number;
  chunks: AsyncIterable<Buffer>;
}

export const bboltPageSize = 4096;
/** Two meta pages and the free list. */
const firstTreePage = 3;
const chunkBytes = 256 * 1024;
/** How many entries may be sized before other work gets a turn. */
const entriesPerTurn = 2000;

const nextTurn = () =>
  new Promise<void>((resolve) => {
    setImmediate(resolve);
  });

/** Measures the buckets and answers the file; its chunks may be read once. */
export async function writeBbolt(buckets: readonly BboltBucket[]): Promise<BboltFile> {
  const sorted = [...buckets].sort((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)));
  let pageCount = firstTreePage;
  const measure = () => new TreeShape((_level, bytes) => void (pageCount += pagesFor(bytes)));
  for (const bucket of sorted) {
    const shape = measure();
    let seen = 0;
    for (const { key, value } of sizesOf(bucket)) {
      shape.add(key, value);
      if (++seen % entriesPerTurn === 0) await nextTurn();
    }
    shape.finish();
  }
  const root = measure();
  for (const { name } of sorted) root.add(Buffer.byteLength(name), bucketHeaderSize);
  root.finish();
  return { bytes: pageCount * bboltPageSize, chunks: emit(sorted, pageCount) };
}

function* sizesOf(bucket: BboltBucket): Iterable<{ key: number; value: number }> {
  if (bucket.sizes) yield* bucket.sizes();
  else for (const { key, value } of bucket.entries()) yield { key: key.length, value: value.length };
}

async function* emit(buckets: readonly BboltBucket[], pageCount: number): AsyncGenerator<Buffer> {
  const out = new PageStream(firstTreePage);
  // The root tree is written last, so its root is the last page of the file.
  const rootEntries: BboltEntry[] = [];
  const head = { pageSize: bboltPageSize, pageCount, root: pageCount - 1 };
  const freelist = Buffer.alloc(bboltPageSize);
  writePageHeader(freelist, { id: 2, flags: pageFlags.freelist, count: 0, overflow: 0 });
  yield Buffer.concat([
    encodeMetaPage(0, { ...head, transaction: 2n }),
    encodeMetaPage(1, { ...head, transaction: 1n }),
    freelist,
  ]);
  for (const { name, entries } of buckets) {
    const tree = new TreeWriter(out, 0);
    for (const { key, value } of entries()) {
      tree.add(key, value);
      if (out.bytes >= chunkBytes) yield out.take();
    }
    const value = Buffer.alloc(bucketHeaderSize);
    value.writeBigUInt64LE(BigInt(tree.finish()), 0);
    rootEntries.push({ key: Buffer.from(name), value });
  }
  const root = new TreeWriter(out, bucketFlag);
  for (const { key, value } of rootEntries) root.add(key, value);
  const rootId = root.finish();
  if (out.next !== pageCount || rootId !== pageCount - 1) {
    throw new Error(`the entries changed while they were written: ${out.next} pages instead of ${pageCount}`);
  }
  yield out.take();
}

/** The packing: tells of each page as it is full, lowest level first, given only the sizes of what goes in. */
class TreeShape {
  private readonly levels: { count: number; bytes: number; keySize: number; pages: number }[] = [];

  constructor(private readonly onPage: (level: number, bytes: number, count: number) => void) {}

  add(keySize: number, valueSize: number): void {
    this.addAt(0, keySize, valueSize);
  }

  /** Closes the pages begun; the last page told of is the root. */
  finish(): void {
    if (this.levels.length === 0) this.onPage(0, pageHeaderSize, 0);
    for (let level = 0; level < this.levels.length; level++) {
      const { pages, bytes, count } = this.levels[level]!;
      if (pages === 0) this.onPage(level, bytes, count);
      else this.closePage(level);
    }
  }

  private addAt(level: number, keySize: number, valueSize: number): void {
    const at = (this.levels[level] ??= { count: 0, bytes: pageHeaderSize, keySize: 0, pages: 0 });
    const bytes = elementSize + keySize + valueSize;
    if (at.count > 0 && at.bytes + bytes > bboltPageSize) this.closePage(level);
    if (at.count === 0) at.keySize = keySize;
    at.count++;
    at.bytes += bytes;
  }

  private closePage(level: number): void {
    const at = this.levels[level]!;
    const { bytes, keySize, count } = at;
    at.count = 0;
    at.bytes = pageHeaderSize;
    at.pages++;
    this.onPage(level, bytes, count);
    this.addAt(level + 1, keySize, 0);
  }
}

/** Writes one tree into a page stream. */
class TreeWriter {
  private readonly held: { key: Buffer; value: Buffer; child: number }[][] = [[]];
  private readonly shape: TreeShape;
  private last: Buffer | undefined;
  private rootId = 0;

  constructor(
    private readonly out: PageStream,
    private readonly leafFlags: number,
  ) {
    this.shape = new TreeShape((level, bytes, count) => this.writePage(level, { bytes, count }));
  }

  add(key: Buffer, value: Buffer): void {
    if (this.last && Buffer.compare(this.last, key) >= 0) throw new Error('the entries of a bucket are not in order');
    this.last = key;
    // The shape closes the page before this entry joins those held.
    this.shape.add(key.length, value.length);
    this.held[0]!.push({ key, value, child: 0 });
  }

  /** Answers the number of the root page. */
  finish(): number {
    this.shape.finish();
    return this.rootId;
  }

  private writePage(level: number, { bytes, count }: { bytes: number; count: number }): void {
    // A branch page that is full closes only when the next child has come; that one stays for the next page.
    const elements = this.held[level]!.splice(0, count);
    const flags = level === 0 ? pageFlags.leaf : pageFlags.branch;
    const pages = pagesFor(bytes);
    const { id, buffer } = this.out.page(pages);
    writePageHeader(buffer, { id, flags, count: elements.length, overflow: pages - 1 });
    let header = pageHeaderSize;
    let data = pageHeaderSize + elements.length * elementSize;
    for (const { key, value, child } of elements) {
      if (level === 0) {
        buffer.writeUInt32LE(this.leafFlags, header);
        buffer.writeUInt32LE(data - header, header + 4);
        buffer.writeUInt32LE(key.length, header + 8);
        buffer.writeUInt32LE(value.length, header + 12);
      } else {
        buffer.writeUInt32LE(data - header, header);
        buffer.writeUInt32LE(key.length, header + 4);
        buffer.writeBigUInt64LE(BigInt(child), header + 8);
      }
      data += key.copy(buffer, data);
      data += value.copy(buffer, data);
      header += elementSize;
    }
    this.rootId = id;
    const parent = (this.held[level + 1] ??= []);
    if (elements.length > 0) parent.push({ key: elements[0]!.key, value: noBytes, child: id });
  }
}

const noBytes = Buffer.alloc(0);

/** Hands out pages one after the other and gives them away in chunks. */
class PageStream {
  bytes = 0;
  private pages: Buffer[] = [];

  constructor(public next: number) {}

  page(count: number): { id: number; buffer: Buffer } {
    const id = this.next;
    const buffer = Buffer.alloc(count * bboltPageSize);
    this.next += count;
    this.pages.push(buffer);
    this.bytes += buffer.length;
    return { id, buffer };
  }

  take(): Buffer {
    const chunk = Buffer.concat(this.pages);
    this.pages = [];
    this.bytes = 0;
    return chunk;
  }
}

function pagesFor(bytes: number): number {
  return Math.ceil(bytes / bboltPageSize);
}
