// etcd's v3election: the leader is who is first in the queue of the election; its key's value is what it proclaims.

import { type ServerWritableStream, type ServiceError, status } from '@grpc/grpc-js';
import { grpcError, type MountedService, services, toGrpcError, type WireKeyValue } from '../etcd';
import { type Key, type KeyValue, prefixEnd } from '../store';
import { bytesOf, type CallContext, type ConcurrencyOptions, contextOf, keyOf, unary } from './handler';
import { enter, first, follow, leave, leaseOf, waitTurn } from './queue';

interface LeaderKey {
  name: Buffer;
  key: Buffer;
  rev: string;
  lease: string;
}
interface CampaignRequest {
  name: Buffer;
  lease: string;
  value: Buffer;
}
interface NameRequest {
  name: Buffer;
}
type ObserveCall = ServerWritableStream<NameRequest, object>;

export function electionService(options: ConcurrencyOptions): MountedService {
  const { store, header } = options;

  const Campaign = unary(options, async (request: CampaignRequest, { signal, permit }) => {
    const name = keyOf(request.name);
    const range = { key: `${name}/`, rangeEnd: prefixEnd(`${name}/`) };
    await permit([
      { kind: 'read', ...range },
      { kind: 'write', ...range },
    ]);
    const lease = await leaseOf(store, BigInt(request.lease));
    const place = await enter(store, { name, lease, value: request.value });
    if (!place.value.equals(request.value)) {
      await proclaim({ key: place.key, createRevision: place.createRevision, value: request.value, lease });
    }
    await waitTurn(store, { name, place, signal });
    const leader = {
      name: request.name,
      key: bytesOf(place.key),
      rev: String(place.createRevision),
      lease: String(lease),
    };
    return { header: header(), leader };
  });

  const Proclaim = unary(options, async (request: { leader: LeaderKey | null; value: Buffer }, { permit }) => {
    const leader = requireLeader(request.leader);
    await permit([{ kind: 'write', key: leader.key }]);
    return { header: header(await proclaim({ ...leader, value: request.value })) };
  });

  const Leader = unary(options, async (request: NameRequest, { permit }) => {
    const name = keyOf(request.name);
    await permit([{ kind: 'read', key: `${name}/`, rangeEnd: prefixEnd(`${name}/`) }]);
    const { kv, revision } = await first(store, name);
    if (!kv) throw grpcError(status.UNKNOWN, 'election: no leader');
    return { header: header(revision), kv: wireKeyValue(kv) };
  });

  const Resign = unary(options, async (request: { leader: LeaderKey | null }, { permit }) => {
    const leader = requireLeader(request.leader);
    await permit([{ kind: 'write', key: leader.key }]);
    return { header: header(await leave(store, leader)) };
  });

  const Observe = (call: ObserveCall) => {
    const context = contextOf(options, call);
    observe(call, context).catch((error: unknown) => {
      if (!context.signal.aborted) call.destroy(toGrpcError(error));
    });
  };

  async function proclaim(request: {
    key: Key;
    createRevision: number;
    value: Buffer;
    lease: bigint;
  }): Promise<number> {
    const { key, createRevision, value, lease } = request;
    const { succeeded, revision } = await store.txn({
      compare: [{ key, target: 'create', operator: 'equal', operand: createRevision }],
      success: [{ type: 'put', request: { key, value, lease } }],
      failure: [],
    });
    if (!succeeded) throw notLeader();
    return revision;
  }

  /** Tells each leader and each of its proclamations, until the caller goes. */
  async function observe(call: ObserveCall, { signal, permit }: CallContext): Promise<void> {
    const name = keyOf(call.request.name);
    const prefix = `${name}/`;
    const rangeEnd = prefixEnd(prefix);
    await permit([{ kind: 'read', key: prefix, rangeEnd }]);
    while (!signal.aborted) {
      const found = await first(store, name);
      const leader =
        found.kv ??
        (await follow(
          store,
          { key: prefix, rangeEnd, from: found.revision + 1, signal },
          (events) => events.find(({ type }) => type === 'put')?.kv,
        ));
      const tell = (kv: KeyValue, revision: number) => call.write({ header: header(revision), kv: wireKeyValue(kv) });
      tell(leader, found.kv ? found.revision : leader.modRevision);
      const from = Math.max(found.revision, leader.modRevision) + 1;
      await follow(store, { key: leader.key, from, signal }, (events) => {
        for (const { type, kv } of events) {
          if (type === 'delete') return true;
          tell(kv, kv.modRevision);
        }
        return undefined;
      });
    }
  }

  return { definition: services.election, implementation: { Campaign, Proclaim, Leader, Observe, Resign } };
}

function requireLeader(leader: LeaderKey | null): { key: Key; createRevision: number; lease: bigint } {
  if (!leader) throw grpcError(status.UNKNOWN, '"leader" field must be provided');
  return { key: keyOf(leader.key), createRevision: Number(leader.rev), lease: BigInt(leader.lease) };
}

function notLeader(): ServiceError {
  return grpcError(status.UNKNOWN, 'election: not leader');
}

function wireKeyValue(kv: KeyValue): WireKeyValue {
  return {
    key: bytesOf(kv.key),
    value: kv.value,
    create_revision: String(kv.createRevision),
    mod_revision: String(kv.modRevision),
    version: String(kv.version),
    lease: String(kv.lease),
  };
}
