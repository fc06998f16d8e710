// The store over a real etcd cluster. Every request goes to etcd and every read is linearizable, so the answers are the
// store's contract already; what this adds is the translation (wire.ts), the choice of a member (members.ts) and watches
// that outlive one (watch-stream.ts). Differences that come with others writing to the same etcd: `revision()` is the
// newest revision heard of (syncRevision() asks), and a watch may hear of a write after the writer's promise resolved.

import { randomBytes } from 'node:crypto';
import type { ClientDuplexStream, Metadata, MethodDefinition } from '@grpc/grpc-js';
import type { Logger } from '../../kit';
import { services } from '../etcd';
import type {
  DeleteRangeRequest,
  KeyValue,
  LeaseStatus,
  PutRequest,
  RangeRequest,
  RangeResponse,
  Store,
  TxnRequest,
  TxnResponse,
  Watch,
  WatchListener,
  WatchRequest,
} from '../store';
import { StoreError } from '../store-error';
import { checkKey, checkPut, checkTxn, isReadOnly } from '../txn-check';
import type { CallOptions, Member, Members } from './members';
import { WatchStream } from './watch-stream';
import {
  type Answer,
  revisionOf,
  type Wire,
  type WireDelete,
  type WirePut,
  type WireRange,
  type WireTxn,
} from './wire';

interface WireLease extends Answer {
  ID: string;
  TTL: string;
}
interface WireLeaseStatus extends WireLease {
  grantedTTL: string;
  keys: Buffer[];
}
interface WireLeases extends Answer {
  leases: { ID: string }[];
}

const once: CallOptions = { idempotent: false };
const repeatable: CallOptions = { idempotent: true };
/** A physical compaction answers when the disk has been cleaned. */
const compaction: CallOptions = { idempotent: true, tryMs: 25_000 };
const leaseTryMs = 8_000;

export interface ExternalStoreOptions {
  members: Members;
  wire: Wire;
  logger: Logger;
}

export class ExternalStore implements Store {
  private readonly members: Members;
  private readonly wire: Wire;
  private readonly watches: WatchStream;
  private newest = 1;
  private compacted = 0;
  private closing: Promise<void> | undefined;

  constructor(options: ExternalStoreOptions) {
    const { members, wire, logger } = options;
    this.members = members;
    this.wire = wire;
    this.watches = new WatchStream({
      members,
      wire,
      logger,
      onRevision: (revision) => this.heard(revision),
      onCompacted: (revision) => this.heardCompacted(revision),
    });
  }

  revision(): number {
    return this.newest;
  }

  /** Waits for etcd's leader, as a linearizable read does, but reads nothing. */
  async syncRevision(): Promise<number> {
    const request = this.wire.range({ key: '\0', countOnly: true });
    return revisionOf(await this.call<WireRange>(services.kv['Range'], request, repeatable));
  }

  compactRevision(): number {
    return this.compacted;
  }

  async range(request: RangeRequest): Promise<RangeResponse> {
    checkKey(request.key);
    const answer = await this.call<WireRange>(services.kv['Range'], this.wire.range(request), repeatable);
    return this.wire.rangeAnswer(answer);
  }

  async put(request: PutRequest): Promise<{ revision: number; prevKv?: KeyValue }> {
    checkPut(request);
    const answer = await this.call<WirePut>(services.kv['Put'], this.wire.put(request), once);
    return { revision: revisionOf(answer), ...this.wire.putAnswer(answer) };
  }

  async deleteRange(request: DeleteRangeRequest): Promise<{ revision: number; deleted: number; prevKvs: KeyValue[] }> {
    checkKey(request.key);
    const answer = await this.call<WireDelete>(services.kv['DeleteRange'], this.wire.delete(request), once);
    return { revision: revisionOf(answer), ...this.wire.deleteAnswer(answer) };
  }

  async txn(request: TxnRequest): Promise<TxnResponse> {
    checkTxn(request);
    const options = isReadOnly(request) ? repeatable : once;
    return this.wire.txnAnswer(await this.call<WireTxn>(services.kv['Txn'], this.wire.txn(request), options));
  }

  watch(request: WatchRequest, listener: WatchListener): Watch {
    if (!this.closing) return this.watches.watch(request, request.startRevision || this.newest + 1, listener);
    let cancelled = false;
    queueMicrotask(() => {
      if (!cancelled) listener.onEnd(new StoreError('STORE_CLOSED'));
    });
    return {
      cancel() {
        cancelled = true;
      },
    };
  }

  /** Another process may have compacted as far already: COMPACTED then. */
  async compact(revision: number): Promise<void> {
    try {
      await this.call<Answer>(services.kv['Compact'], { revision, physical: true }, compaction);
      this.heardCompacted(revision);
    } catch (error) {
      if (error instanceof StoreError && error.code === 'COMPACTED') this.heardCompacted(revision);
      throw error;
    }
  }

  async grantLease(request: { ttlSeconds: number; id?: bigint }): Promise<{ id: bigint; ttlSeconds: number }> {
    const id = request.id || randomLeaseId();
    const wire = { TTL: String(Math.max(1, request.ttlSeconds)), ID: String(id) };
    const answer = await this.call<WireLease>(services.lease['LeaseGrant'], wire, once);
    return { id: BigInt(answer.ID), ttlSeconds: Number(answer.TTL) };
  }

  async revokeLease(id: bigint): Promise<{ revision: number }> {
    const answer = await this.call<Answer>(services.lease['LeaseRevoke'], { ID: String(id) }, once);
    return { revision: revisionOf(answer) };
  }

  async keepAliveLease(id: bigint): Promise<{ ttlSeconds: number }> {
    const answer = await this.members.perform(repeatable, (member, metadata) => keepAlive(member, metadata, id));
    this.heard(revisionOf(answer));
    if (Number(answer.TTL) <= 0) throw new StoreError('LEASE_NOT_FOUND', { details: { id: String(id) } });
    return { ttlSeconds: Number(answer.TTL) };
  }

  async leaseStatus(id: bigint): Promise<LeaseStatus> {
    const request = { ID: String(id), keys: true };
    const answer = await this.call<WireLeaseStatus>(services.lease['LeaseTimeToLive'], request, repeatable);
    if (Number(answer.TTL) < 0) throw new StoreError('LEASE_NOT_FOUND', { details: { id: String(id) } });
    const { keys } = this.wire;
    return {
      id,
      grantedSeconds: Number(answer.grantedTTL),
      remainingSeconds: Math.max(0, Number(answer.TTL)),
      keys: answer.keys
        .filter((key) => keys.has(key))
        .map((key) => keys.strip(key))
        .sort(),
    };
  }

  async listLeases(): Promise<bigint[]> {
    const { leases } = await this.call<WireLeases>(services.lease['LeaseLeases'], {}, repeatable);
    return leases.map(({ ID }) => BigInt(ID));
  }

  /** Lets running requests settle, ends all watches and closes the connections; etcd itself runs on. */
  close(): Promise<void> {
    this.closing ??= this.shutDown();
    return this.closing;
  }

  private async shutDown(): Promise<void> {
    const closed = this.members.close();
    this.watches.close();
    await closed;
  }

  private async call<A extends Answer>(
    method: MethodDefinition<object, object> | undefined,
    request: object,
    options: CallOptions,
  ): Promise<A> {
    const answer = await this.members.call<A>(method!, request, options);
    this.heard(revisionOf(answer));
    return answer;
  }

  private heard(revision: number): void {
    this.newest = Math.max(this.newest, revision);
  }

  private heardCompacted(revision: number): void {
    this.compacted = Math.max(this.compacted, revision);
  }
}

/** One keep-alive: etcd has them as a stream. */
function keepAlive({ client }: Member, metadata: Metadata, id: bigint): Promise<WireLease> {
  const { path, requestSerialize, responseDeserialize } = services.lease['LeaseKeepAlive']!;
  const options = { deadline: Date.now() + leaseTryMs };
  const stream: ClientDuplexStream<object, WireLease> = client.makeBidiStreamRequest(
    path,
    requestSerialize,
    responseDeserialize,
    metadata,
    options,
  );
  return new Promise((resolve, reject) => {
    stream.on('data', (answer: WireLease) => {
      resolve(answer);
      stream.cancel();
    });
    // After an answer these find the promise settled.
    stream.on('error', reject);
    stream.on('end', () => reject(new Error('the keep-alive stream ended without an answer')));
    stream.write({ ID: String(id) });
  });
}

function randomLeaseId(): bigint {
  return randomBytes(8).readBigInt64BE() & 0x7fff_ffff_ffff_ffffn || 1n;
}
