// How the handlers of the endpoint are written: an async function of the request, its errors translated in one place,
// its caller known only where somebody asks.

import type { handleUnaryCall, ServerDuplexStream, ServerUnaryCall, ServerWritableStream } from '@grpc/grpc-js';
import type { Logger } from '../../kit';
import type { LocalStore } from '../store';
import type { Access, Authorize, CallIdentity, ClusterIdentity, MakeHeader } from './extension';
import { etcdError, toGrpcError } from './grpc-error';

/** What every service of the endpoint works with. */
export interface ServiceContext {
  store: LocalStore;
  logger: Logger;
  identity: ClusterIdentity;
  header: MakeHeader;
  authorize: Authorize | undefined;
  /** Most bytes of a request that writes. */
  maxRequestBytes: number;
}

type AnyCall =
  | ServerUnaryCall<unknown, unknown>
  | ServerWritableStream<unknown, unknown>
  | ServerDuplexStream<unknown, unknown>;

export function identityOf(call: Pick<AnyCall, 'getPath' | 'metadata' | 'getAuthContext'>): CallIdentity {
  return {
    method: call.getPath(),
    metadata: call.metadata,
    peerCertificate: call.getAuthContext().sslPeerCertificate,
  };
}

/** Refuses what the authorizer refuses; free when there is none. */
export function permit(
  context: Pick<ServiceContext, 'authorize'>,
  call: Parameters<typeof identityOf>[0],
  access: () => Access[],
): void | Promise<void> {
  return context.authorize?.(identityOf(call), access());
}

export function unary<Request, Response>(
  handler: (request: Request, call: ServerUnaryCall<Request, Response>) => Promise<Response> | Response,
): handleUnaryCall<Request, Response> {
  return (call, callback) => {
    const answer = async () => handler(call.request, call);
    answer().then(
      (response) => callback(null, response),
      (error: unknown) => callback(toGrpcError(error)),
    );
  };
}

/** Throws etcd's "request is too large". */
export function requireSize(context: Pick<ServiceContext, 'maxRequestBytes'>, bytes: number): void {
  if (bytes > context.maxRequestBytes) throw etcdError('RequestTooLarge');
}

/** For messages that are bytes already. */
export const alreadyEncoded = (bytes: Buffer): Buffer => bytes;
