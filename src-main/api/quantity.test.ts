import { describe, expect, it } from 'vitest';
import {
  addQuantities,
  canonicalQuantity,
  compareQuantities,
  formatQuantity,
  isQuantity,
  parseQuantity,
  quantityMilliValue,
  quantityToNumber,
  quantityValue,
  subtractQuantities,
} from './quantity';

describe('canonical form', () => {
  it.each([
    ['0', '0'],
    ['0.5', '500m'],
    ['1', '1'],
    ['1.0', '1'],
    ['1000m', '1'],
    ['100m', '100m'],
    ['0.1m', '100u'],
    ['1024Mi', '1Gi'],
    ['1Ki', '1Ki'],
    ['512', '512'],
    ['0.5Ki', '512'],
    ['1.5Gi', '1536Mi'],
    ['2000k', '2M'],
    ['64Mi', '64Mi'],
    ['1e3', '1e3'],
    ['1E3', '1e3'],
    ['100e-3', '100e-3'],
    ['12e6', '12e6'],
    ['1E', '1E'],
    ['-1.5', '-1500m'],
    ['+2', '2'],
    ['.5', '500m'],
    ['1.', '1'],
    ['0.0000000001', '1n'],
    ['-0.0000000001', '-1n'],
    ['1.1Mi', '1153433600m'],
    ['9223372036854775807', '9223372036854775807'],
  ])('%s is %s', (text, canonical) => {
    expect(canonicalQuantity(text)).toBe(canonical);
    expect(canonicalQuantity(canonical)).toBe(canonical);
  });

  it('takes numbers', () => expect(canonicalQuantity(0.25)).toBe('250m'));
});

it.each(['', 'abc', '1.2.3', '1 Gi', '1mm', '1KI', '--1', '1e', '1e1.5', '.', '1x3'])('%j is no quantity', (text) => {
  expect(isQuantity(text)).toBe(false);
  expect(() => parseQuantity(text)).toThrow(/quantities must match|unable to parse quantity's suffix/);
});

it('compares across suffix families', () => {
  expect(compareQuantities('1Gi', '1G')).toBe(1);
  expect(compareQuantities('1', '1000m')).toBe(0);
  expect(compareQuantities('1e3', '1001')).toBe(-1);
});

it('adds and subtracts in the format of the first that is not zero', () => {
  expect(formatQuantity(addQuantities('512Mi', '512Mi'))).toBe('1Gi');
  expect(formatQuantity(addQuantities('0', '1Gi'))).toBe('1Gi');
  expect(formatQuantity(addQuantities('1', '250m'))).toBe('1250m');
  expect(formatQuantity(subtractQuantities('1Gi', '1Mi'))).toBe('1023Mi');
  expect(formatQuantity(subtractQuantities('1', '2'))).toBe('-1');
});

it('rounds up to whole units and thousandths', () => {
  expect(quantityValue('1500m')).toBe(2);
  expect(quantityValue('64Mi')).toBe(67_108_864);
  expect(quantityMilliValue('0.1')).toBe(100);
  expect(quantityMilliValue('1u')).toBe(1);
  expect(quantityToNumber('250m')).toBe(0.25);
});
