import { expect, test } from 'vitest';
import { decodeStatus, encodeRequest } from './grpc-health';

test.each([
  ['', '0000000000'],
  ['db', '00000000040a026462'],
])('a request for service "%s" is %s on the wire', (service, hex) => {
  expect(encodeRequest(service).toString('hex')).toBe(hex);
});

test('a long service name has its length in two bytes', () => {
  const bytes = encodeRequest('s'.repeat(200));
  expect(bytes.readUInt32BE(1)).toBe(203);
  expect(bytes.subarray(5, 8).toString('hex')).toBe('0ac801');
});

test.each([
  ['00000000020801', 1],
  ['00000000020802', 2],
  ['0000000000', 0],
  ['0000000003088001', 128],
  ['000000000208', undefined],
  ['01000000020801', undefined],
  ['00000000021001', undefined],
  ['', undefined],
])('the answer %s has status %s', (hex, status) => {
  expect(decodeStatus(Buffer.from(hex, 'hex'))).toBe(status);
});
