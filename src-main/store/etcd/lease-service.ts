// etcd's Lease service over the store.

import type { ServerDuplexStream } from '@grpc/grpc-js';
import { StoreError } from '../store-error';
import { permit, type ServiceContext, unary } from './calls';
import type { MountedService } from './extension';
import { etcdError, toGrpcError } from './grpc-error';
import { services } from './protocol';

interface IdRequest {
  ID: string;
}

interface IdAndTtl extends IdRequest {
  TTL: string;
}

/** Requests of one keep-alive stream answered at a time; more are read when these are done. */
const parallelKeepAlives = 64;

export function leaseService(context: ServiceContext): MountedService {
  const { store, header } = context;
  const LeaseGrant = unary(async ({ ID, TTL }: IdAndTtl, call) => {
    await permit(context, call, () => []);
    const ttlSeconds = Number(TTL);
    const { id, ttlSeconds: granted } = await store.grantLease({ ttlSeconds, id: BigInt(ID) });
    return { header: header(), ID: String(id), TTL: String(granted), error: '' };
  });
  const LeaseRevoke = unary(async ({ ID }: IdRequest, call) => {
    const id = BigInt(ID);
    await permit(context, call, () => [{ kind: 'lease', id }]);
    const { revision } = await store.revokeLease(id);
    return { header: header(revision) };
  });
  const LeaseTimeToLive = unary(async ({ ID, keys }: IdRequest & { keys: boolean }, call) => {
    await permit(context, call, () => (keys ? [{ kind: 'lease', id: BigInt(ID) }] : []));
    return timeToLive(context, { ID, keys });
  });
  const LeaseLeases = unary(async (_request: object, call) => {
    await permit(context, call, () => []);
    const leases = await store.listLeases();
    return { header: header(), leases: leases.map((id) => ({ ID: String(id) })) };
  });
  const LeaseKeepAlive = (call: ServerDuplexStream<IdRequest, unknown>) => serveKeepAlives(context, call);
  return {
    definition: services.lease,
    implementation: { LeaseGrant, LeaseRevoke, LeaseKeepAlive, LeaseTimeToLive, LeaseLeases },
  };
}

async function timeToLive(context: ServiceContext, { ID, keys }: IdRequest & { keys: boolean }): Promise<object> {
  try {
    const status = await context.store.leaseStatus(BigInt(ID));
    return {
      header: context.header(),
      ID,
      TTL: String(status.remainingSeconds),
      grantedTTL: String(status.grantedSeconds),
      keys: keys ? status.keys.map((key) => Buffer.from(key, 'latin1')) : [],
    };
  } catch (error) {
    if (!isUnknownLease(error)) throw error;
    return { header: context.header(), ID, TTL: '-1' };
  }
}

/** Answers are in the order of the requests, as a client may match them by place. */
function serveKeepAlives(context: ServiceContext, call: ServerDuplexStream<IdRequest, unknown>): void {
  let waiting = 0;
  let last: Promise<void> = Promise.resolve();
  let over = false;
  const fail = (error: unknown) => {
    if (over) return;
    over = true;
    call.emit('error', toGrpcError(error));
  };
  call.on('data', (request: IdRequest) => {
    if (++waiting >= parallelKeepAlives) call.pause();
    const answer = keepAlive(context, call, request).then(
      (response) => ({ response }),
      (error: unknown) => ({ error }),
    );
    last = last.then(async () => {
      const result = await answer;
      if ('error' in result) fail(result.error);
      else if (!over && !call.cancelled) await written(call, result.response);
      if (--waiting < parallelKeepAlives && call.isPaused()) call.resume();
    });
  });
  call.on('end', () => {
    void last.then(() => {
      if (!over) call.end();
      over = true;
    });
  });
  call.on('cancelled', () => {
    over = true;
  });
}

function written(call: ServerDuplexStream<IdRequest, unknown>, response: object): Promise<void> {
  return new Promise((resolve) => {
    if (call.write(response)) {
      resolve();
      return;
    }
    const done = () => {
      call.off('drain', done);
      call.off('cancelled', done);
      resolve();
    };
    call.once('drain', done);
    call.once('cancelled', done);
  });
}

async function keepAlive(
  context: ServiceContext,
  call: ServerDuplexStream<IdRequest, unknown>,
  { ID }: IdRequest,
): Promise<object> {
  await permit(context, call, () => []);
  try {
    const { ttlSeconds } = await context.store.keepAliveLease(BigInt(ID));
    return { header: context.header(), ID, TTL: String(ttlSeconds) };
  } catch (error) {
    if (!isUnknownLease(error)) throw error;
    return { header: context.header(), ID, TTL: '0' };
  }
}

const isUnknownLease = (error: unknown) =>
  (error instanceof StoreError && error.code === 'LEASE_NOT_FOUND') ||
  (error instanceof Error && error.message === etcdError('LeaseNotFound').message);
