import { expect, test } from 'vitest';
import { allowedTarget } from './tunnel';

const rules = { kubeletPort: 10250, networks: ['10.244.0.0/16', '10.96.0.0/12'] };

test.each([
  ['127.0.0.1:10250', { host: '127.0.0.1', port: 10250 }],
  ['localhost:10250', { host: '127.0.0.1', port: 10250 }],
  ['127.0.0.1:22', undefined],
  ['10.244.3.4:8080', { host: '10.244.3.4', port: 8080 }],
  ['10.111.0.1:443', { host: '10.111.0.1', port: 443 }],
  ['10.112.0.1:443', undefined],
  ['192.168.77.11:22', undefined],
  ['example.org:80', undefined],
  ['10.244.3.4:0', undefined],
  ['10.244.3.4', undefined],
])('%s leads to %j', (authority, target) => {
  expect(allowedTarget(authority, rules)).toEqual(target);
});
