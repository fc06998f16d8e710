// gRPC's health protocol: the whole server, by the empty name, and each mounted service by its own.

import { type ServerWritableStream, status } from '@grpc/grpc-js';
import { unary } from './calls';
import type { MountedService } from './extension';
import { grpcError } from './grpc-error';
import { services } from './protocol';

const serving = 1;
const serviceUnknown = 3;

export function healthService(names: readonly string[]): MountedService {
  const known = new Set(['', ...names]);
  const Check = unary(({ service }: { service: string }) => {
    if (!known.has(service)) throw grpcError(status.NOT_FOUND, 'unknown service');
    return { status: serving };
  });
  /** The state never changes while the server runs, so one message is all a watcher hears. */
  const Watch = (call: ServerWritableStream<{ service: string }, object>) => {
    call.write({ status: known.has(call.request.service) ? serving : serviceUnknown });
  };
  return { definition: services.health, implementation: { Check, Watch } };
}
