// How etcd v3.4 lays its state out over buckets: what of a store goes where, and the keys in them.

import { StoreError } from '../store-error';

/** The tables beside the history that a snapshot carries as they are. */
export const sideTables = ['alarm', 'auth', 'authRoles', 'authUsers', 'cluster'] as const;

/** Every bucket an etcd expects to find. */
export const allBuckets = ['key', 'lease', 'members', 'members_removed', 'meta', ...sideTables] as const;

export const metaKeys = {
  consistentIndex: Buffer.from('consistent_index'),
  scheduled: Buffer.from('scheduledCompactRev'),
  finished: Buffer.from('finishedCompactRev'),
} as const;

const revisionSize = 17;
const underscore = 0x5f;
const tombstoneMark = 0x74;

export interface RevisionKey {
  main: number;
  sub: number;
  tombstone: boolean;
}

export function encodeRevisionKey({ main, sub, tombstone }: RevisionKey): Buffer {
  const key = Buffer.alloc(tombstone ? revisionSize + 1 : revisionSize);
  writeUint64(key, main, 0);
  key[8] = underscore;
  writeUint64(key, sub, 9);
  if (tombstone) key[revisionSize] = tombstoneMark;
  return key;
}

/** Errors: SNAPSHOT_CORRUPT, SNAPSHOT_UNSUPPORTED when a number is beyond what this store counts to. */
export function decodeRevisionKey(key: Buffer): RevisionKey {
  const tombstone = key.length === revisionSize + 1 && key[revisionSize] === tombstoneMark;
  if ((key.length !== revisionSize && !tombstone) || key[8] !== underscore) {
    throw new StoreError('SNAPSHOT_CORRUPT', {
      details: { reason: 'a revision is malformed', key: key.toString('hex') },
    });
  }
  const main = Number(key.readBigUInt64BE(0));
  const sub = Number(key.readBigUInt64BE(9));
  if (!Number.isSafeInteger(main + 1) || sub > 0xffff_fffe) {
    throw new StoreError('SNAPSHOT_UNSUPPORTED', { details: { reason: 'a revision is out of range', main, sub } });
  }
  return { main, sub, tombstone };
}

function writeUint64(target: Buffer, value: number, at: number): void {
  target.writeUInt32BE(Math.floor(value / 0x1_0000_0000), at);
  target.writeUInt32BE(value % 0x1_0000_0000, at + 4);
}
