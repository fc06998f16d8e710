// The numbers of the bbolt file format, version 2, which etcd keeps its data in: fixed-size pages, of which the first
// two are copies of the meta page (the valid one with the higher transaction id counts), and B+trees of branch and leaf
// pages. The root tree's leaves hold the buckets; a bucket's leaf value is the root page of its own tree, or the whole
// tree inline when it is small. All numbers are little-endian.

export const pageHeaderSize = 16;
/** Both a leaf's and a branch's element header. */
export const elementSize = 16;
export const bucketHeaderSize = 16;
export const metaSize = 64;

export const pageFlags = { branch: 0x01, leaf: 0x02, meta: 0x04, freelist: 0x10 } as const;
/** On a leaf element: its value is a bucket. */
export const bucketFlag = 1;

const magic = 0xed0cdaed;
const version = 2;
const checksumAt = 56;

export interface Meta {
  pageSize: number;
  /** The page of the root tree. */
  root: number;
  /** The number of pages of the file. */
  pageCount: number;
  transaction: bigint;
}

export interface PageHeader {
  id: number;
  flags: number;
  count: number;
  /** Pages that continue this one. */
  overflow: number;
}

export function writePageHeader(page: Buffer, header: PageHeader): void {
  page.writeBigUInt64LE(BigInt(header.id), 0);
  page.writeUInt16LE(header.flags, 8);
  page.writeUInt16LE(header.count, 10);
  page.writeUInt32LE(header.overflow, 12);
}

export function readPageHeader(page: Buffer): PageHeader {
  return {
    id: Number(page.readBigUInt64LE(0)),
    flags: page.readUInt16LE(8),
    count: page.readUInt16LE(10),
    overflow: page.readUInt32LE(12),
  };
}

/** A whole meta page; the free list is taken to be the page after both copies. */
export function encodeMetaPage(id: number, meta: Meta): Buffer {
  const page = Buffer.alloc(meta.pageSize);
  writePageHeader(page, { id, flags: pageFlags.meta, count: 0, overflow: 0 });
  const body = page.subarray(pageHeaderSize, pageHeaderSize + metaSize);
  body.writeUInt32LE(magic, 0);
  body.writeUInt32LE(version, 4);
  body.writeUInt32LE(meta.pageSize, 8);
  body.writeBigUInt64LE(BigInt(meta.root), 16);
  body.writeBigUInt64LE(2n, 32);
  body.writeBigUInt64LE(BigInt(meta.pageCount), 40);
  body.writeBigUInt64LE(meta.transaction, 48);
  body.writeBigUInt64LE(fnv1a(body.subarray(0, checksumAt)), checksumAt);
  return page;
}

/** The meta in a page's first bytes, undefined when it is none or its checksum is wrong. */
export function decodeMetaPage(page: Buffer): Meta | undefined {
  if (page.length < pageHeaderSize + metaSize) return undefined;
  const body = page.subarray(pageHeaderSize, pageHeaderSize + metaSize);
  if (body.readUInt32LE(0) !== magic || body.readUInt32LE(4) !== version) return undefined;
  if (fnv1a(body.subarray(0, checksumAt)) !== body.readBigUInt64LE(checksumAt)) return undefined;
  return {
    pageSize: body.readUInt32LE(8),
    root: Number(body.readBigUInt64LE(16)),
    pageCount: Number(body.readBigUInt64LE(40)),
    transaction: body.readBigUInt64LE(48),
  };
}

/** The 64-bit FNV-1a hash. */
export function fnv1a(bytes: Uint8Array): bigint {
  let hash = 0xcbf29ce484222325n;
  for (const byte of bytes) hash = ((hash ^ BigInt(byte)) * 0x100000001b3n) & 0xffff_ffff_ffff_ffffn;
  return hash;
}
