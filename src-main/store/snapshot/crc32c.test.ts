import { expect, it } from 'vitest';
import { crc32c } from './crc32c';

it('answers the check value of CRC-32C, in one piece and in two', () => {
  expect(crc32c(0, Buffer.from('123456789'))).toBe(0xe3069283);
  expect(crc32c(crc32c(0, Buffer.from('1234')), Buffer.from('56789'))).toBe(0xe3069283);
});
