import { describe, expect, it } from 'vitest';
import { toBase64 } from './images';

describe('toBase64', () => {
  it('encodes any bytes, also more than fit on the call stack', () => {
    expect(toBase64(new Uint8Array())).toBe('');
    const bytes = Uint8Array.from({ length: 300_001 }, (_, index) => (index * 7) % 256);
    expect(Uint8Array.from(atob(toBase64(bytes)), (character) => character.charCodeAt(0))).toEqual(bytes);
  });
});
