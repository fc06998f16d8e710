// The members of an etcd cluster, as this process reaches them. Calls go to one member until it fails, then to the next;
// each try has a deadline, and so has the whole call. What may be repeated is repeated; a write of which nobody told
// whether it took place ends with OUTCOME_UNKNOWN and is never sent twice.

import {
  Client,
  connectivityState,
  credentials,
  type ChannelCredentials,
  Metadata,
  type MethodDefinition,
  type ServiceError,
  status,
} from '@grpc/grpc-js';
import { type Clock, type Logger, sleep } from '../../kit';
import { services } from '../etcd';
import { StoreError } from '../store-error';
import { failureOf } from './failure';

export interface MembersOptions {
  /** URLs: http://10.0.0.1:2379, https://etcd-1:2379. */
  endpoints: readonly string[];
  /** PEM; only for https endpoints. Without a CA the system's are trusted. */
  tls?: { ca?: string; cert?: string; key?: string };
  user?: { name: string; password: string };
  logger: Logger;
  clock: Clock;
  /** How long a call is tried before it is given up; half a minute when absent. */
  callMs?: number;
}

export interface Member {
  readonly endpoint: string;
  readonly client: Client;
}

export interface CallOptions {
  /** Whether doing it twice is the same as doing it once. */
  idempotent: boolean;
  tryMs?: number;
}

/** Longer than etcd itself waits for its cluster: 5 s and two elections. */
const defaultTryMs = 8_000;
const defaultCallMs = 30_000;
const connectMs = 2_000;
const retryBaseMs = 50;
const retryMaxMs = 1_000;
const settleMs = 5_000;
const defaultPort = 2379;

const channelOptions = {
  'grpc.enable_http_proxy': 0,
  'grpc.max_receive_message_length': -1,
  'grpc.max_send_message_length': -1,
  'grpc.initial_reconnect_backoff_ms': 100,
  'grpc.max_reconnect_backoff_ms': 2_000,
  // A member whose computer vanished answers nothing; etcd allows a ping every five seconds.
  'grpc.keepalive_time_ms': 10_000,
  'grpc.keepalive_timeout_ms': 5_000,
  // A connection of our own: a store that closes must not leave one to the next store's surprise.
  'grpc.use_local_subchannel_pool': 1,
};

export class Members {
  private readonly members: readonly Member[];
  private readonly running = new Set<Promise<unknown>>();
  private readonly calls = new Set<{ cancel(): void }>();
  private current = 0;
  private token: Promise<string> | undefined;
  private closing = false;

  constructor(private readonly options: MembersOptions) {
    this.members = options.endpoints.map((endpoint) => connect(endpoint, options.tls));
  }

  get closed(): boolean {
    return this.closing;
  }

  /** Errors: a refusal of etcd's, UNAVAILABLE, OUTCOME_UNKNOWN, STORE_CLOSED. */
  call<A>(method: MethodDefinition<object, object>, request: object, options: CallOptions): Promise<A> {
    return this.perform(options, (member, metadata) =>
      this.unary<A>(member, method, { request, metadata, tryMs: options.tryMs ?? defaultTryMs }),
    );
  }

  /** As `call`, for any exchange with one member. */
  async perform<A>(options: CallOptions, exchange: (member: Member, metadata: Metadata) => Promise<A>): Promise<A> {
    if (this.closing) throw new StoreError('STORE_CLOSED');
    const work = this.attempt(options, exchange);
    this.running.add(work);
    try {
      return await work;
    } finally {
      this.running.delete(work);
    }
  }

  private async attempt<A>(
    { idempotent }: CallOptions,
    exchange: (member: Member, metadata: Metadata) => Promise<A>,
  ): Promise<A> {
    const until = this.giveUpAt();
    for (let tries = 1; ; tries++) {
      const member = await this.ready(until);
      let sent = false;
      try {
        const metadata = await this.metadata(member);
        sent = true;
        return await exchange(member, metadata);
      } catch (error) {
        if (error instanceof StoreError) throw error;
        const failure = failureOf(error);
        if (failure.kind === 'refused') throw failure.error;
        if (failure.kind === 'token') this.forgetToken();
        else {
          this.leave(member, failure.reason);
          const details = { endpoint: member.endpoint, reason: failure.reason };
          if (failure.kind === 'lost' && sent && !idempotent)
            throw new StoreError('OUTCOME_UNKNOWN', { cause: error, details });
        }
        if (this.options.clock.now() >= until) throw new StoreError('UNAVAILABLE', { cause: error });
        await this.pause(tries);
      }
    }
  }

  /** A member that is connected: the one used last, or the next that is. Errors: UNAVAILABLE, STORE_CLOSED. */
  async ready(until = this.giveUpAt()): Promise<Member> {
    for (let tries = 1; ; tries++) {
      for (let i = 0; i < this.members.length; i++) {
        if (this.closing) throw new StoreError('STORE_CLOSED');
        const member = this.members[this.current]!;
        if (await isConnected(member.client)) return member;
        this.leave(member, 'no connection');
      }
      if (this.options.clock.now() >= until) {
        throw new StoreError('UNAVAILABLE', { details: { endpoints: this.options.endpoints } });
      }
      await this.pause(tries);
    }
  }

  private giveUpAt(): number {
    return this.options.clock.now() + (this.options.callMs ?? defaultCallMs);
  }

  /** Moves on from a member that failed, unless that has been done. */
  leave(member: Member, reason: string): void {
    if (this.members[this.current] !== member || this.members.length === 1) return;
    this.current = (this.current + 1) % this.members.length;
    if (this.closing) return;
    const { endpoint } = this.members[this.current]!;
    this.options.logger.debug('turning to another etcd member', { from: member.endpoint, to: endpoint, reason });
  }

  /** What etcd is shown with each call: our token, and that a member cut off from its leader is of no use. */
  async metadata(member: Member): Promise<Metadata> {
    const metadata = new Metadata();
    metadata.set('hasleader', 'true');
    if (!this.options.user) return metadata;
    this.token ??= this.authenticate(member);
    try {
      metadata.set('token', await this.token);
      return metadata;
    } catch (error) {
      this.token = undefined;
      throw error;
    }
  }

  /** The next call asks for a new token. */
  forgetToken(): void {
    this.token = undefined;
  }

  /** Lets running calls settle for a while, then gives them up and closes the connections. */
  async close(): Promise<void> {
    this.closing = true;
    let cancel = () => {};
    const patience = new Promise<void>((resolve) => {
      cancel = this.options.clock.after(settleMs, resolve);
    });
    await Promise.race([Promise.allSettled(this.running), patience]);
    cancel();
    for (const call of this.calls) call.cancel();
    for (const { client } of this.members) client.close();
  }

  async pause(tries: number): Promise<void> {
    const ms = Math.min(retryMaxMs, retryBaseMs * 2 ** Math.min(tries - 1, 10));
    await sleep(ms, { clock: this.options.clock });
  }

  private async authenticate(member: Member): Promise<string> {
    const { name, password } = this.options.user!;
    const request = { name, password };
    const call = { request, metadata: new Metadata(), tryMs: defaultTryMs };
    const { token } = await this.unary<{ token: string }>(member, services.auth['Authenticate']!, call);
    return token;
  }

  private unary<A>(
    member: Member,
    method: MethodDefinition<object, object>,
    { request, metadata, tryMs }: { request: object; metadata: Metadata; tryMs: number },
  ): Promise<A> {
    return new Promise((resolve, reject) => {
      const done = (error: ServiceError | null, answer?: object) => {
        this.calls.delete(call);
        if (!error) resolve(answer as A);
        // Given up by `close`, which has waited long enough for it.
        else reject(this.closing && error.code === status.CANCELLED ? new StoreError('STORE_CLOSED') : error);
      };
      const { path, requestSerialize: encode, responseDeserialize: decode } = method;
      const options = { deadline: Date.now() + tryMs };
      const call = member.client.makeUnaryRequest(path, encode, decode, request, metadata, options, done);
      this.calls.add(call);
    });
  }
}

function connect(endpoint: string, tls: MembersOptions['tls']): Member {
  const url = new URL(endpoint);
  const target = url.port ? url.host : `${url.hostname}:${defaultPort}`;
  return { endpoint, client: new Client(target, credentialsFor(url, tls), channelOptions) };
}

function credentialsFor(url: URL, tls: MembersOptions['tls']): ChannelCredentials {
  if (url.protocol !== 'https:') return credentials.createInsecure();
  const pem = (text: string | undefined) => (text === undefined ? null : Buffer.from(text));
  return credentials.createSsl(pem(tls?.ca), pem(tls?.key), pem(tls?.cert));
}

/** Connects when need be; false when that fails or takes too long. */
function isConnected(client: Client): Promise<boolean> {
  const channel = client.getChannel();
  const deadline = Date.now() + connectMs;
  return new Promise((resolve) => {
    const look = () => {
      const state = channel.getConnectivityState(true);
      if (state === connectivityState.READY) return resolve(true);
      if (state === connectivityState.TRANSIENT_FAILURE || state === connectivityState.SHUTDOWN) return resolve(false);
      channel.watchConnectivityState(state, deadline, (error) => (error ? resolve(false) : look()));
    };
    look();
  });
}
