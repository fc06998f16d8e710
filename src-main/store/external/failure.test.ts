import { status } from '@grpc/grpc-js';
import { expect, it } from 'vitest';
import { etcdError, grpcError } from '../etcd';
import { failureOf } from './failure';

it.each([
  [etcdError('Compacted'), { kind: 'refused', error: { code: 'COMPACTED' } }],
  [etcdError('LeaseNotFound'), { kind: 'refused', error: { code: 'LEASE_NOT_FOUND' } }],
  [etcdError('RequestTooLarge'), { kind: 'refused', error: { code: 'REFUSED' } }],
  [etcdError('PermissionDenied'), { kind: 'refused', error: { code: 'REFUSED' } }],
  [etcdError('InvalidAuthToken'), { kind: 'token' }],
  [etcdError('NoLeader'), { kind: 'not-executed' }],
  [etcdError('TooManyRequests'), { kind: 'not-executed' }],
  // It was proposed, and may still come through.
  [etcdError('Timeout'), { kind: 'lost' }],
  [etcdError('Stopped'), { kind: 'lost' }],
  [grpcError(status.UNAVAILABLE, 'No connection established. Last error: refused'), { kind: 'not-executed' }],
  [grpcError(status.UNAVAILABLE, 'Connection dropped'), { kind: 'lost' }],
  [grpcError(status.DEADLINE_EXCEEDED, 'Deadline exceeded'), { kind: 'lost' }],
  [new Error('anything else'), { kind: 'lost' }],
])('%s', (error, expected) => {
  expect(failureOf(error)).toMatchObject(expected);
});
