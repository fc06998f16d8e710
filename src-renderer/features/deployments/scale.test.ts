import { describe, expect, it } from 'vitest';
import { parseReplicas, sliderMax } from './scale';

describe('scale', () => {
  it('gives the slider room to grow', () => {
    expect([0, 3, 9, 10, 14, 50].map(sliderMax)).toEqual([10, 10, 10, 20, 30, 100]);
  });
  it('takes whole numbers only', () => {
    expect(['3', ' 12 ', '', '-1', '1.5', '1e3', 'x'].map(parseReplicas)).toEqual([
      3,
      12,
      undefined,
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
  });
});
