// How the two services are put into gRPC's form: an async function of the request, a signal that aborts when the caller
// goes, errors translated, and permission asked for first.

import { type handleUnaryCall, type ServerUnaryCall, type ServerWritableStream, status } from '@grpc/grpc-js';
import { type Access, type Authorize, grpcError, type MakeHeader, toGrpcError } from '../etcd';
import type { Key, Store } from '../store';

export interface ConcurrencyOptions {
  store: Store;
  /** The headers of the endpoint the service is mounted in. */
  header: MakeHeader;
  /** Who may; everybody when absent. */
  authorize?: Authorize;
}

type Call = ServerUnaryCall<unknown, unknown> | ServerWritableStream<unknown, unknown>;

export interface CallContext {
  signal: AbortSignal;
  permit(access: readonly Access[]): Promise<void>;
}

export function unary<Request, Response>(
  options: ConcurrencyOptions,
  work: (request: Request, context: CallContext) => Promise<Response>,
): handleUnaryCall<Request, Response> {
  return (call, callback) => {
    work(call.request, contextOf(options, call)).then(
      (response) => callback(null, response),
      (error: unknown) => callback(toGrpcError(error)),
    );
  };
}

export function contextOf(options: ConcurrencyOptions, call: Call): CallContext {
  const controller = new AbortController();
  call.on('cancelled', () => controller.abort(grpcError(status.CANCELLED, 'context canceled')));
  return {
    signal: controller.signal,
    async permit(access) {
      const { sslPeerCertificate: peerCertificate } = call.getAuthContext();
      await options.authorize?.({ method: call.getPath(), metadata: call.metadata, peerCertificate }, access);
    },
  };
}

/** Bytes of a message as a key. */
export function keyOf(bytes: Buffer): Key {
  return bytes.toString('latin1');
}

export function bytesOf(key: Key): Buffer {
  return Buffer.from(key, 'latin1');
}
