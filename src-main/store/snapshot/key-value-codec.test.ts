import { assert, bigInt, maxSafeNat, property, record, uint8Array } from 'fast-check';
import { expect, it } from 'vitest';
import { crc32c } from './crc32c';
import { decodeRevisionKey, encodeRevisionKey } from './etcd-buckets';
import {
  decodeKeyValue,
  decodeLeaseMessage,
  encodeKeyValue,
  encodeLeaseMessage,
  keyValueSize,
} from './key-value-codec';

it('encodes a key-value as etcd does', () => {
  // From a real etcd: put a 1 as its fifth revision.
  const kv = { key: 'a', value: Buffer.from('3'), createRevision: 5, modRevision: 5, version: 1, lease: 0n };
  expect(encodeKeyValue(kv).toString('hex')).toBe('0a01611005180520012a0133');
});

it('decodes what it encoded, and knows the size beforehand', () => {
  const count = maxSafeNat();
  const keyValue = record({
    key: uint8Array().map((bytes) => Buffer.from(bytes).toString('latin1')),
    value: uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
    createRevision: count,
    modRevision: count,
    version: count,
    lease: bigInt(-(2n ** 63n), 2n ** 63n - 1n),
  });
  assert(
    property(keyValue, (kv) => {
      const bytes = encodeKeyValue(kv);
      expect(bytes.length).toBe(keyValueSize(kv));
      expect(decodeKeyValue(bytes)).toEqual(kv);
    }),
  );
});

it('refuses bytes that are no message, and never reads beyond them', () => {
  assert(
    property(uint8Array({ maxLength: 40 }), (bytes) => {
      try {
        decodeKeyValue(Buffer.from(bytes));
      } catch (error) {
        expect(error).toMatchObject({ code: expect.stringMatching(/^SNAPSHOT_/) });
      }
    }),
  );
});

it('decodes leases and revisions as it encoded them', () => {
  const lease = { id: 0x7fff_ffff_ffff_ffffn, ttl: 60n, remaining: 7n };
  expect(decodeLeaseMessage(encodeLeaseMessage(lease))).toEqual(lease);
  const revision = { main: 2 ** 40 + 1, sub: 3, tombstone: true };
  expect(encodeRevisionKey(revision).toString('latin1')).toMatch(/_[^]{8}t$/);
  expect(decodeRevisionKey(encodeRevisionKey(revision))).toEqual(revision);
  expect(() => decodeRevisionKey(Buffer.alloc(17))).toThrow(/not a snapshot/);
});

it('computes CRC-32C, also in parts', () => {
  const digits = Buffer.from('123456789');
  expect(crc32c(0, digits)).toBe(0xe3069283);
  expect(crc32c(crc32c(0, digits.subarray(0, 4)), digits.subarray(4))).toBe(0xe3069283);
  expect(crc32c(0, Buffer.alloc(32))).toBe(0x8a9136aa);
});
