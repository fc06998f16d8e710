import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decodeHeader,
  decodeLease,
  decodeLeaseId,
  encodeLease,
  encodeLeaseId,
  encodeRecord,
  readRevisionKey,
  recordKey,
  recordValue,
  revisionKeySize,
  writeRevisionKey,
} from './record-codec';

const revision = fc.record({ main: fc.maxSafeNat(), sub: fc.nat(0xffff_ffff) });
const key = fc.uint8Array({ minLength: 1, maxLength: 40 }).map((bytes) => Buffer.from(bytes).toString('latin1'));

const encoded = ({ main, sub }: { main: number; sub: number }) =>
  writeRevisionKey(Buffer.alloc(revisionKeySize), main, sub);

describe('revision keys', () => {
  it('come back as they went in', () => {
    fc.assert(
      fc.property(revision, (one) => {
        expect(readRevisionKey(encoded(one))).toEqual(one);
      }),
    );
  });

  it('sort as revisions do', () => {
    fc.assert(
      fc.property(revision, revision, (a, b) => {
        expect(Math.sign(Buffer.compare(encoded(a), encoded(b)))).toBe(Math.sign(a.main - b.main || a.sub - b.sub));
      }),
    );
  });
});

describe('records', () => {
  const header = fc.record({
    key,
    create: fc.maxSafeNat(),
    version: fc.maxSafeNat(),
    lease: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    tombstone: fc.boolean(),
  });

  it('come back as they went in, whatever the bytes', () => {
    fc.assert(
      fc.property(header, fc.uint8Array({ maxLength: 100 }), (one, bytes) => {
        const record = encodeRecord(one, Buffer.from(bytes));
        expect(decodeHeader(record)).toEqual(one);
        expect(recordKey(record)).toBe(one.key);
        expect(recordValue(record)).toEqual(Buffer.from(bytes));
      }),
    );
  });
});

describe('leases', () => {
  it('come back as they went in', () => {
    const lease = { ttlSeconds: 9_000_000_000, expiresAt: 1_700_000_000_123 };
    expect(decodeLease(encodeLease(lease))).toEqual(lease);
    for (const id of [1n, -1n, 2n ** 63n - 1n]) expect(decodeLeaseId(encodeLeaseId(id))).toBe(id);
  });
});
