// What a failed call to etcd means. This is the one place that reads etcd's texts: its protocol has no other codes.

import { type ServiceError, status } from '@grpc/grpc-js';
import { messageOf } from '../../kit';
import { StoreError, type StoreErrorCode } from '../store-error';

export type Failure =
  /** etcd said no: the same call gets the same answer everywhere. */
  | { kind: 'refused'; error: StoreError }
  /** The token we showed is no longer good. */
  | { kind: 'token' }
  /** Certainly not executed: another member may do it. */
  | { kind: 'not-executed'; reason: string }
  /** Executed or not: nobody told. */
  | { kind: 'lost'; reason: string };

const refusals: readonly StoreErrorCode[] = [
  'COMPACTED',
  'FUTURE_REVISION',
  'DUPLICATE_KEY',
  'TOO_MANY_OPERATIONS',
  'EMPTY_KEY',
  'KEY_NOT_FOUND',
  'VALUE_PROVIDED',
  'LEASE_PROVIDED',
  'LEASE_NOT_FOUND',
  'LEASE_EXISTS',
  'LEASE_TTL_TOO_LARGE',
];
const byText = new Map(refusals.map((code) => [new StoreError(code).message, code]));

/** Answers before anything was proposed to the cluster. */
const notExecuted = new Set(['etcdserver: no leader', 'etcdserver: too many requests']);
const badToken = new Set(['etcdserver: invalid auth token', 'etcdserver: revision of auth store is old']);
/** grpc-js: the request never left this process. */
const neverSent = /^No connection established|^Name resolution failed/;
const answered = new Set<number>([
  status.INVALID_ARGUMENT,
  status.NOT_FOUND,
  status.ALREADY_EXISTS,
  status.PERMISSION_DENIED,
  status.RESOURCE_EXHAUSTED,
  status.FAILED_PRECONDITION,
  status.OUT_OF_RANGE,
  status.UNIMPLEMENTED,
  status.UNAUTHENTICATED,
]);

export function failureOf(error: unknown): Failure {
  const { code, details: text } = asServiceError(error);
  if (badToken.has(text)) return { kind: 'token' };
  if (notExecuted.has(text) || neverSent.test(text)) return { kind: 'not-executed', reason: text };
  const known = byText.get(text);
  if (known) return { kind: 'refused', error: new StoreError(known) };
  if (answered.has(code)) return { kind: 'refused', error: refusal(text) };
  return { kind: 'lost', reason: text };
}

/** An answer of etcd's that the store's catalogue has no code for. */
export function refusal(text: string): StoreError {
  return new StoreError('REFUSED', { hint: `etcd says: ${text}`, details: { answer: text } });
}

function asServiceError(error: unknown): { code: number; details: string } {
  if (error instanceof Error && 'code' in error && 'details' in error) {
    const { code, details } = error as ServiceError;
    return { code, details };
  }
  return { code: status.UNKNOWN, details: messageOf(error) };
}
