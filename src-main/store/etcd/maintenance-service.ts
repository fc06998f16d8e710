// etcd's Maintenance service over the store. Alarms and snapshots are made by others and plugged in.

import { once } from 'node:events';
import { type ServerWritableStream, status } from '@grpc/grpc-js';
import { hashKv } from '../snapshot/hash-kv';
import { crc32c } from '../snapshot/crc32c';
import { permit, type ServiceContext, unary } from './calls';
import type { Alarm, AlarmProvider, MountedService, SnapshotProvider } from './extension';
import { etcdError, grpcError, toGrpcError } from './grpc-error';
import { services } from './protocol';
import { etcdVersion } from './version';

export interface MaintenanceParts {
  alarms: AlarmProvider | undefined;
  snapshots: SnapshotProvider | undefined;
  raftTerm: number;
}

interface AlarmMessage {
  action: number;
  memberID: string;
  alarm: number;
}

const alarmNames = ['NONE', 'NOSPACE', 'CORRUPT'];

export function maintenanceService(context: ServiceContext, parts: MaintenanceParts): MountedService {
  const { store, header } = context;
  const admin = (call: Parameters<typeof permit>[1]) => permit(context, call, () => [{ kind: 'admin' }]);
  const Hash = unary(async (_request: object, call) => {
    await admin(call);
    let { hash: whole } = await hashKv(store);
    for (const lease of await store.listLeases()) whole = crc32c(whole, Buffer.from(String(lease)));
    return { header: header(), hash: whole };
  });
  const HashKV = unary(async ({ revision }: { revision: string }, call) => {
    await admin(call);
    const { hash, compactRevision } = await hashKv(store, Number(revision));
    return { header: header(), hash, compact_revision: String(compactRevision) };
  });
  const Defragment = unary(async (_request: object, call) => {
    await admin(call);
    await store.defragment();
    return {};
  });
  const MoveLeader = unary(async ({ targetID }: { targetID: string }, call) => {
    await admin(call);
    if (targetID !== String(context.identity.memberId)) throw etcdError('BadLeaderTransferee');
    return {};
  });
  const Downgrade = unary(async (_request: object, call): Promise<object> => {
    await admin(call);
    throw grpcError(status.FAILED_PRECONDITION, 'etcdserver: cluster is not downgrading');
  });
  const Snapshot = (call: ServerWritableStream<object, object>) => {
    sendSnapshot(context, { call, snapshots: parts.snapshots }).catch((error: unknown) => {
      call.emit('error', toGrpcError(error));
    });
  };
  const implementation = {
    Status: unary((_request: object) => statusOf(context, parts)),
    Alarm: unary((request: AlarmMessage, call) => alarm(context, { request, call, alarms: parts.alarms })),
    Hash,
    HashKV,
    Defragment,
    MoveLeader,
    Downgrade,
    Snapshot,
  };
  return { definition: services.maintenance, implementation };
}

function statusOf({ store, identity, header }: ServiceContext, { alarms, raftTerm }: MaintenanceParts): object {
  const { total, inUse } = store.size();
  const memberId = String(identity.memberId);
  // There is no log of proposals here; the revision grows with every one that changed something.
  const index = String(store.revision());
  return {
    header: header(),
    version: etcdVersion,
    dbSize: String(total),
    dbSizeInUse: String(inUse),
    leader: memberId,
    raftIndex: index,
    raftAppliedIndex: index,
    raftTerm: String(raftTerm),
    errors: (alarms?.list() ?? []).map(describeAlarm),
    isLearner: false,
  };
}

const describeAlarm = ({ memberId, type }: Alarm) =>
  `memberID:${BigInt.asUintN(64, memberId)} alarm:${alarmNames[type] ?? type} `;

interface AlarmCall {
  request: AlarmMessage;
  call: Parameters<typeof permit>[1];
  alarms: AlarmProvider | undefined;
}

async function alarm(context: ServiceContext, { request, call, alarms }: AlarmCall): Promise<object> {
  const { identity, header } = context;
  await permit(context, call, () => (request.action === 0 ? [] : [{ kind: 'admin' }]));
  const wanted: Alarm = { memberId: BigInt(request.memberID) || identity.memberId, type: request.alarm };
  const found = (alarms?.list() ?? []).filter(({ type }) => request.alarm === 0 || type === request.alarm);
  let told = found;
  if (request.action === 1) told = (await alarms?.activate(wanted)) ?? [];
  if (request.action === 2) {
    const doomed = found.filter(({ memberId }) => request.memberID === '0' || memberId === wanted.memberId);
    const done = await Promise.all(doomed.map((item) => alarms?.deactivate(item) ?? []));
    told = done.flat();
  }
  return {
    header: header(),
    alarms: told.map(({ memberId, type }) => ({ memberID: String(BigInt.asUintN(64, memberId)), alarm: type })),
  };
}

async function sendSnapshot(
  context: ServiceContext,
  { call, snapshots }: { call: ServerWritableStream<object, object>; snapshots: SnapshotProvider | undefined },
): Promise<void> {
  await permit(context, call, () => [{ kind: 'admin' }]);
  if (!snapshots) throw grpcError(status.UNIMPLEMENTED, 'snapshots are not served here');
  const snapshot = await snapshots.open();
  const cancelled = new AbortController();
  call.once('cancelled', () => cancelled.abort());
  let remaining = snapshot.size;
  try {
    for await (const blob of snapshot.chunks) {
      if (call.cancelled) return;
      remaining = Math.max(0, remaining - blob.length);
      const more = call.write({ header: context.header(), remaining_bytes: String(remaining), blob });
      if (!more && !(await drained(call, cancelled.signal))) return;
    }
  } finally {
    snapshot.close?.();
  }
  call.end();
}

/** False when the client went away first. */
async function drained(call: ServerWritableStream<object, object>, signal: AbortSignal): Promise<boolean> {
  try {
    await once(call, 'drain', { signal });
    return true;
  } catch (error) {
    if (signal.aborted) return false;
    throw error;
  }
}
