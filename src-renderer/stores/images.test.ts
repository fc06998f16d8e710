import { describe, expect, it } from 'vitest';
import { toBase64 } from './images';

describe('toBase64', () => {
  it('encodes any bytes, also more than fit on the call stack', () => {
    expect(toBase64(new Uint8Array())).toBe('');
    const bytes = Uint8Array.from({ length: 70_001 }, (_, index) => (index * 7) % 256);
    const decoded = atob(toBase64(bytes));
    expect(decoded).toHaveLength(bytes.length);
    expect([0, 1, 32_768, 65_536, 70_000].map((at) => decoded.charCodeAt(at) === bytes[at])).not.toContain(false);
  });
});
