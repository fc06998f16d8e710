import { describe, expect, it } from 'vitest';
import { compareHolds } from './compare';
import type { Compare } from './store';

const present = { version: 2, create: 5, main: 9, lease: 7n };
const value = () => Buffer.from('m');

describe('compares', () => {
  it.each<[Compare['operator'], boolean, boolean, boolean]>([
    ['equal', false, true, false],
    ['not-equal', true, false, true],
    ['greater', true, false, false],
    ['less', false, false, true],
  ])('%s holds as its name says for operands below, at and above', (operator, below, at, above) => {
    const results = (make: (step: -1 | 0 | 1) => Compare) =>
      ([-1, 0, 1] as const).map((step) => compareHolds(make(step), present, value));
    const expected = [below, at, above];
    const key = 'a';
    expect(results((step) => ({ key, operator, target: 'version', operand: 2 + step }))).toEqual(expected);
    expect(results((step) => ({ key, operator, target: 'create', operand: 5 + step }))).toEqual(expected);
    expect(results((step) => ({ key, operator, target: 'mod', operand: 9 + step }))).toEqual(expected);
    expect(results((step) => ({ key, operator, target: 'lease', operand: 7n + BigInt(step) }))).toEqual(expected);
    const operands = { '-1': 'l', '0': 'm', '1': 'n' };
    expect(results((step) => ({ key, operator, target: 'value', operand: Buffer.from(operands[step]) }))).toEqual(
      expected,
    );
  });

  it('takes an absent key for zeros, but never for a value', () => {
    const absent = (compare: Omit<Compare, 'key'>) =>
      compareHolds({ key: 'a', ...compare } as Compare, undefined, () => {
        throw new Error('there is no value to ask for');
      });
    expect(absent({ target: 'version', operator: 'equal', operand: 0 })).toBe(true);
    expect(absent({ target: 'mod', operator: 'greater', operand: 0 })).toBe(false);
    expect(absent({ target: 'lease', operator: 'equal', operand: 0n })).toBe(true);
    expect(absent({ target: 'value', operator: 'equal', operand: Buffer.alloc(0) })).toBe(false);
    expect(absent({ target: 'value', operator: 'not-equal', operand: Buffer.from('x') })).toBe(false);
  });
});
