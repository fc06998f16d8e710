// etcd's errors as gRPC statuses: one code and text each, exactly as its clients compare them (rpctypes of etcd 3.4 and
// 3.5). Errors of the store map here and nowhere else.

import { status, type ServiceError, Metadata } from '@grpc/grpc-js';
import { messageOf } from '../../kit';
import { StoreError, type StoreErrorCode } from '../store-error';

const { INVALID_ARGUMENT, OUT_OF_RANGE, NOT_FOUND, FAILED_PRECONDITION, RESOURCE_EXHAUSTED, UNAVAILABLE } = status;

const catalogue = {
  EmptyKey: [INVALID_ARGUMENT, 'key is not provided'],
  KeyNotFound: [INVALID_ARGUMENT, 'key not found'],
  ValueProvided: [INVALID_ARGUMENT, 'value is provided'],
  LeaseProvided: [INVALID_ARGUMENT, 'lease is provided'],
  TooManyOps: [INVALID_ARGUMENT, 'too many operations in txn request'],
  DuplicateKey: [INVALID_ARGUMENT, 'duplicate key given in txn request'],
  InvalidSortOption: [INVALID_ARGUMENT, 'invalid sort option'],
  Compacted: [OUT_OF_RANGE, 'mvcc: required revision has been compacted'],
  FutureRev: [OUT_OF_RANGE, 'mvcc: required revision is a future revision'],
  NoSpace: [RESOURCE_EXHAUSTED, 'mvcc: database space exceeded'],
  LeaseNotFound: [NOT_FOUND, 'requested lease not found'],
  LeaseExist: [FAILED_PRECONDITION, 'lease already exists'],
  LeaseTTLTooLarge: [OUT_OF_RANGE, 'too large lease TTL'],
  WatchCanceled: [status.CANCELLED, 'watch canceled'],
  MemberExist: [FAILED_PRECONDITION, 'member ID already exist'],
  PeerURLExist: [FAILED_PRECONDITION, 'Peer URLs already exists'],
  MemberNotEnoughStarted: [FAILED_PRECONDITION, 're-configuration failed due to not enough started members'],
  MemberBadURLs: [INVALID_ARGUMENT, 'given member URLs are invalid'],
  MemberNotFound: [NOT_FOUND, 'member not found'],
  MemberNotLearner: [FAILED_PRECONDITION, 'can only promote a learner member'],
  LearnerNotReady: [FAILED_PRECONDITION, 'can only promote a learner member which is in sync with leader'],
  TooManyLearners: [FAILED_PRECONDITION, 'too many learner members in cluster'],
  RequestTooLarge: [INVALID_ARGUMENT, 'request is too large'],
  TooManyRequests: [RESOURCE_EXHAUSTED, 'too many requests'],
  RootUserNotExist: [FAILED_PRECONDITION, 'root user does not exist'],
  RootRoleNotExist: [FAILED_PRECONDITION, 'root user does not have root role'],
  UserAlreadyExist: [FAILED_PRECONDITION, 'user name already exists'],
  UserEmpty: [INVALID_ARGUMENT, 'user name is empty'],
  UserNotFound: [FAILED_PRECONDITION, 'user name not found'],
  RoleAlreadyExist: [FAILED_PRECONDITION, 'role name already exists'],
  RoleNotFound: [FAILED_PRECONDITION, 'role name not found'],
  RoleEmpty: [INVALID_ARGUMENT, 'role name is empty'],
  AuthFailed: [INVALID_ARGUMENT, 'authentication failed, invalid user ID or password'],
  PermissionNotGiven: [INVALID_ARGUMENT, 'permission not given'],
  PermissionDenied: [status.PERMISSION_DENIED, 'permission denied'],
  RoleNotGranted: [FAILED_PRECONDITION, 'role is not granted to the user'],
  PermissionNotGranted: [FAILED_PRECONDITION, 'permission is not granted to the role'],
  AuthNotEnabled: [FAILED_PRECONDITION, 'authentication is not enabled'],
  InvalidAuthToken: [status.UNAUTHENTICATED, 'invalid auth token'],
  InvalidAuthMgmt: [INVALID_ARGUMENT, 'invalid auth management'],
  AuthOldRevision: [INVALID_ARGUMENT, 'revision of auth store is old'],
  NoLeader: [UNAVAILABLE, 'no leader'],
  NotLeader: [FAILED_PRECONDITION, 'not leader'],
  BadLeaderTransferee: [FAILED_PRECONDITION, 'bad leader transferee'],
  NotCapable: [UNAVAILABLE, 'not capable'],
  Stopped: [UNAVAILABLE, 'server stopped'],
  Timeout: [UNAVAILABLE, 'request timed out'],
  Unhealthy: [UNAVAILABLE, 'unhealthy cluster'],
  Corrupt: [status.DATA_LOSS, 'corrupt cluster'],
} as const;

export type EtcdErrorName = keyof typeof catalogue;

/** Codes missing here are no refusals of etcd's and are told as UNKNOWN, with their text. */
const ofStore: Partial<Record<StoreErrorCode | 'NO_SPACE', EtcdErrorName>> = {
  COMPACTED: 'Compacted',
  FUTURE_REVISION: 'FutureRev',
  DUPLICATE_KEY: 'DuplicateKey',
  TOO_MANY_OPERATIONS: 'TooManyOps',
  EMPTY_KEY: 'EmptyKey',
  KEY_NOT_FOUND: 'KeyNotFound',
  VALUE_PROVIDED: 'ValueProvided',
  LEASE_PROVIDED: 'LeaseProvided',
  LEASE_NOT_FOUND: 'LeaseNotFound',
  LEASE_EXISTS: 'LeaseExist',
  LEASE_TTL_TOO_LARGE: 'LeaseTTLTooLarge',
  STORE_CLOSED: 'Stopped',
  NO_SPACE: 'NoSpace',
};

/** A gRPC status to answer a call with. */
export function grpcError(code: status, message: string): ServiceError {
  const error = new Error(message);
  return Object.assign(error, { code, details: message, metadata: new Metadata() });
}

/** One of etcd's own errors, e.g. `etcdError('Compacted')`. */
export function etcdError(name: EtcdErrorName): ServiceError {
  const [code, text] = catalogue[name];
  return grpcError(code, `etcdserver: ${text}`);
}

/** The status of anything that was thrown while answering a call; what is no known refusal becomes UNKNOWN. */
export function toGrpcError(error: unknown): ServiceError {
  if (error instanceof Error && 'details' in error && typeof (error as ServiceError).code === 'number') {
    return error as ServiceError;
  }
  const name = error instanceof StoreError ? ofStore[error.code] : undefined;
  if (name) return etcdError(name);
  return grpcError(status.UNKNOWN, messageOf(error));
}
