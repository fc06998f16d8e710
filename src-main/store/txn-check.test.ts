import { describe, expect, it } from 'vitest';
import type { Operation, TxnRequest } from './store';
import { StoreError } from './store-error';
import { checkPut, checkTxn, isReadOnly } from './txn-check';

const value = Buffer.from('v');
const put = (key: string): Operation => ({ type: 'put', request: { key, value } });
const remove = (key: string, rangeEnd?: string): Operation => ({ type: 'delete', request: { key, rangeEnd } });
const get = (key: string): Operation => ({ type: 'range', request: { key } });
const txn = (success: Operation[], failure: Operation[] = []): TxnRequest => ({ compare: [], success, failure });
const nested = (success: Operation[], failure: Operation[] = []): Operation => ({
  type: 'txn',
  request: txn(success, failure),
});

function codeOf(run: () => void): string | undefined {
  try {
    run();
    return undefined;
  } catch (error) {
    return error instanceof StoreError ? error.code : String(error);
  }
}

describe('the check of a transaction', () => {
  it.each<[string, TxnRequest, string | undefined]>([
    ['distinct puts', txn([put('a'), put('b')]), undefined],
    ['the same put in both branches', txn([put('a')], [put('a')]), undefined],
    ['one key put twice', txn([put('a'), put('a')]), 'DUPLICATE_KEY'],
    ['one key put twice when failed', txn([], [put('a'), put('a')]), 'DUPLICATE_KEY'],
    ['a put and a deletion of the key', txn([put('a'), remove('a')]), 'DUPLICATE_KEY'],
    ['a put inside a deleted range', txn([put('b'), remove('a', 'c')]), 'DUPLICATE_KEY'],
    ['a put beside a deleted range', txn([put('c'), remove('a', 'c')]), undefined],
    ['two deletions of a key', txn([remove('a'), remove('a', 'c')]), undefined],
    ['reads of a written key', txn([get('a'), put('a'), get('a')]), undefined],
    ['a nested put of the same key', txn([put('a'), nested([put('a')])]), 'DUPLICATE_KEY'],
    ['a nested put in both nested branches', txn([nested([put('a')], [put('a')])]), undefined],
    ['nested puts of two transactions', txn([nested([put('a')]), nested([], [put('a')])]), 'DUPLICATE_KEY'],
    ['a nested deletion over a put', txn([put('a'), nested([], [remove('a', '\0')])]), 'DUPLICATE_KEY'],
    ['an empty key', txn([get('')]), 'EMPTY_KEY'],
    ['a nested empty key', txn([nested([remove('')])]), 'EMPTY_KEY'],
    [
      'an empty key compared',
      { compare: [{ key: '', target: 'mod', operator: 'equal', operand: 0 }], success: [], failure: [] },
      'EMPTY_KEY',
    ],
    ['128 operations', txn(Array.from({ length: 128 }, (_, i) => put(`k${i}`))), undefined],
    ['129 operations', txn(Array.from({ length: 129 }, (_, i) => put(`k${i}`))), 'TOO_MANY_OPERATIONS'],
    [
      '128 operations nested in one',
      txn([nested(Array.from({ length: 128 }, (_, i) => put(`k${i}`)))]),
      'TOO_MANY_OPERATIONS',
    ],
  ])('of %s', (_title, request, expected) => {
    expect(codeOf(() => checkTxn(request))).toBe(expected);
  });

  it('refuses a value or lease that is to be ignored', () => {
    expect(codeOf(() => checkPut({ key: 'a', value, ignoreValue: true }))).toBe('VALUE_PROVIDED');
    expect(codeOf(() => checkPut({ key: 'a', value, lease: 1n, ignoreLease: true }))).toBe('LEASE_PROVIDED');
  });

  it('speaks etcd', () => {
    expect(new StoreError('DUPLICATE_KEY').message).toBe('etcdserver: duplicate key given in txn request');
    expect(new StoreError('COMPACTED').message).toBe('etcdserver: mvcc: required revision has been compacted');
  });
});

describe('read-only transactions', () => {
  it.each<[string, TxnRequest, boolean]>([
    ['nothing', txn([]), true],
    ['reads', txn([get('a')], [nested([get('b')])]), true],
    ['a put', txn([get('a')], [put('a')]), false],
    ['a nested deletion', txn([nested([], [remove('a')])]), false],
  ])('%s: %s', (_title, request, expected) => expect(isReadOnly(request)).toBe(expected));
});
