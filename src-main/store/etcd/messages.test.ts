// The hand-written messages against a protobuf library that was given the same proto files.

import { describe, expect, it } from 'vitest';
import type { KeyValue } from '../store';
import { decodeDelete, decodePut, decodeRange, decodeTxn } from './messages-in';
import { HeaderCodec, ResponseEncoder } from './messages-out';
import { services } from './protocol';
import { WireReader, WireWriter } from './wire';

const encode = new ResponseEncoder(new HeaderCodec({ clusterId: 2n ** 63n + 5n, memberId: 7n, raftTerm: 2 }));
const kv: KeyValue = {
  key: 'k\xff\0',
  value: Buffer.from('value'),
  createRevision: 2 ** 40 + 1,
  modRevision: 2 ** 52,
  version: 300,
  lease: 0x7fff_ffff_ffff_fff0n,
};
const wireKv = {
  key: Buffer.from('k\xff\0', 'latin1'),
  value: Buffer.from('value'),
  create_revision: String(2 ** 40 + 1),
  mod_revision: String(2 ** 52),
  version: '300',
  lease: String(0x7fff_ffff_ffff_fff0n),
};
const key = Buffer.from('a');

describe('requests', () => {
  it('are read as the library writes them', () => {
    const range = services.kv.Range!.requestSerialize({
      key,
      range_end: Buffer.from('b'),
      limit: '5',
      revision: '9007199254740991',
      sort_order: 2,
      sort_target: 3,
      keys_only: true,
      min_mod_revision: '7',
      max_create_revision: '1099511627777',
    });
    expect(decodeRange(range)).toEqual({
      request: {
        key: 'a',
        rangeEnd: 'b',
        limit: 5,
        revision: 2 ** 53 - 1,
        keysOnly: true,
        minModRevision: 7,
        maxCreateRevision: 1099511627777,
        sort: { target: 'mod', order: 'descend' },
      },
      invalidSort: false,
    });
    const put = services.kv.Put!.requestSerialize({ key, value: key, lease: '-2', prev_kv: true, ignore_lease: true });
    expect(decodePut(put)).toMatchObject({ request: { key: 'a', lease: -2n, prevKv: true, ignoreLease: true } });
    const remove = services.kv.DeleteRange!.requestSerialize({ key, range_end: Buffer.from([0]) });
    expect(decodeDelete(remove).request).toEqual({ key: 'a', rangeEnd: '\0' });
  });

  it('of transactions keep compares, branches and nesting', () => {
    const bytes = services.kv.Txn!.requestSerialize({
      compare: [
        { key, target: 3, value: key, result: 1 },
        { key, target: 2, mod_revision: '5', result: 3, range_end: Buffer.from('z') },
        { key, target: 4, lease: '9' },
      ],
      success: [{ request_txn: { success: [{ request_put: { key } }] } }],
      failure: [{ request_delete_range: { key } }],
    });
    const { request, failure } = decodeTxn(bytes);
    expect(failure).toBeUndefined();
    expect(request.compare).toEqual([
      { key: 'a', rangeEnd: undefined, operator: 'greater', target: 'value', operand: key },
      { key: 'a', rangeEnd: 'z', operator: 'not-equal', target: 'mod', operand: 5 },
      { key: 'a', rangeEnd: undefined, operator: 'equal', target: 'lease', operand: 9n },
    ]);
    expect(request.success[0]).toMatchObject({ type: 'txn', request: { success: [{ type: 'put' }] } });
    expect(request.failure[0]).toEqual({ type: 'delete', request: { key: 'a' } });
  });

  it('that are broken or endless are refused', () => {
    for (const bytes of [[0x0a, 5, 1], [0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f], [0x0b], Array<number>(11).fill(0xff)]) {
      expect(() => decodePut(Buffer.from(bytes))).toThrow(RangeError);
    }
    let nested = Buffer.alloc(0);
    for (let i = 0; i < 200; i++) {
      const operation = Buffer.concat(field(0x22, nested));
      nested = Buffer.concat(field(0x12, operation));
    }
    expect(() => decodeTxn(nested)).toThrow(/nested/);
  });
});

function field(tag: number, body: Buffer): Buffer[] {
  const length = new WireWriter(body.length < 128 ? 1 : body.length < 16_384 ? 2 : 3);
  length.varint(body.length);
  return [Buffer.from([tag]), length.bytes, body];
}

describe('responses', () => {
  const header = { cluster_id: String(2n ** 63n + 5n), member_id: '7', revision: '300', raft_term: '2' };

  it('are written as the library reads them', () => {
    const range = services.kv.Range!.responseDeserialize(
      encode.range({ revision: 300, kvs: [kv, { ...kv, lease: 0n }], more: true, count: 70_000 }),
    );
    expect(range).toEqual({ header, kvs: [wireKv, { ...wireKv, lease: '0' }], more: true, count: '70000' });
    expect(services.kv.Put!.responseDeserialize(encode.put({ revision: 300, prevKv: kv }))).toEqual({
      header,
      prev_kv: wireKv,
    });
    const removed = encode.delete({ revision: 300, deleted: 1, prevKvs: [kv] });
    expect(services.kv.DeleteRange!.responseDeserialize(removed)).toEqual({ header, deleted: '1', prev_kvs: [wireKv] });
  });

  it('of transactions and watches too', () => {
    const inner = { revision: 300, succeeded: false, responses: [{ type: 'put' as const, response: { prevKv: kv } }] };
    const bytes = encode.txn({ revision: 300, succeeded: true, responses: [{ type: 'txn', response: inner }] });
    const txn = services.kv.Txn!.responseDeserialize(bytes);
    expect(txn).toMatchObject({ header, succeeded: true });
    expect(txn).toMatchObject({
      responses: [
        { response_txn: { header: { revision: '300' }, responses: [{ response_put: { prev_kv: wireKv } }] } },
      ],
    });
    const events = [{ type: 'delete' as const, kv, prevKv: kv }];
    const frame = encode.watch({ watchId: -1n, revision: 300, canceled: true, cancelReason: 'why', events });
    expect(services.watch.Watch!.responseDeserialize(frame)).toMatchObject({
      header,
      watch_id: '-1',
      canceled: true,
      cancel_reason: 'why',
      created: false,
      events: [{ type: 1, kv: wireKv, prev_kv: wireKv }],
    });
  });
});

describe('numbers', () => {
  it.each([0, 1, 127, 128, 2 ** 28 - 1, 2 ** 28, 2 ** 32, 2 ** 35, 2 ** 53 - 1, -1, -300])(
    '%d round trips',
    (value) => {
      const writer = new WireWriter(10);
      writer.varint(value);
      expect(new WireReader(writer.bytes).number()).toBe(value);
      expect(new WireReader(writer.bytes).bigint()).toBe(BigInt(value));
    },
  );
});
