// Both transports pass the same suite: the RPC behaves the same in the browser shell and in Electron.

import { EventEmitter } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTRPCClient, createWSClient, wsLink } from '@trpc/client';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { WebSocket as NodeWebSocket } from 'ws';
import { type AppRouter, type HostServices, ipcChannel, rpcPath } from '../../contract';
import { AsyncQueue, PilothouseError, silentLogger } from '../../kit';
import type { Rpc } from '../cli/host-connection';
import { fromRpcError } from '../cli/host-connection';
import { startHeadlessServer } from '../headless/server';
import { type IncomingIpc, type IpcReceiver, type Page, serveIpc } from './ipc-transport';

const pageOrigin = 'pilothouse://window/';

/** Services that answer just enough, and show which streams are open. */
function fakeServices() {
  const open = { watches: 0 };
  const changes = new AsyncQueue<[]>();
  const clusters = {
    list: async () => [],
    async *watch(signal: AbortSignal) {
      open.watches++;
      try {
        yield [];
        await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
      } finally {
        open.watches--;
      }
    },
    start: async (name: string) => {
      throw new PilothouseError({ code: 'CLUSTER_NOT_FOUND', message: `no ${name}`, hint: 'Look.', details: { a: 1 } });
    },
    kubeconfig: async () => 'x'.repeat(300_000),
    async *console() {
      for (let i = 0; i < 1000; i++) yield { text: String(i) };
    },
  };
  return { services: { clusters } as unknown as HostServices, open, changes };
}

interface Connected {
  rpc: Rpc;
  /** The page goes away without a word. */
  vanish(): void;
  stop(): Promise<void>;
}

async function overWebSocket(services: HostServices): Promise<Connected> {
  const renderer = await mkdtemp(join(tmpdir(), 'pilothouse-transport-'));
  const server = await startHeadlessServer({ services, token: 'secret', port: 0, renderer, logger: silentLogger });
  const sockets: NodeWebSocket[] = [];
  class Recorded extends NodeWebSocket {
    constructor(url: string) {
      super(url);
      sockets.push(this);
    }
  }
  const client = createWSClient({
    url: `ws://127.0.0.1:${server.port}${rpcPath}?token=secret`,
    WebSocket: Recorded as unknown as typeof WebSocket,
    retryDelayMs: () => 60_000,
  });
  return {
    rpc: createTRPCClient<AppRouter>({ links: [wsLink({ client })] }),
    vanish: () => sockets.at(-1)?.terminate(),
    async stop() {
      void client.close();
      await server.stop();
      await rm(renderer, { recursive: true });
    },
  };
}

class FakePage extends EventEmitter implements Page {
  readonly id = 1;
  readonly received = new EventEmitter();
  destroyed = false;
  send(_channel: string, message: string): void {
    // IPC is asynchronous and copies.
    setImmediate(() => this.received.emit('message', message));
  }
  isDestroyed(): boolean {
    return this.destroyed;
  }
}

/** What the page's side makes of the preload's bridge: opens at once, closes only when asked to. */
function bridgeSocket(page: FakePage, send: (message: string) => void): typeof WebSocket {
  class BridgeSocket extends EventTarget {
    static readonly CONNECTING = 0;
    static readonly OPEN = 1;
    static readonly CLOSING = 2;
    static readonly CLOSED = 3;
    readonly OPEN = 1;
    readyState = 0;
    private readonly receive = (data: string) => this.dispatchEvent(new MessageEvent('message', { data }));
    constructor() {
      super();
      page.received.on('message', this.receive);
      // Not in a microtask: tRPC listens for "open" some microtasks after it made the socket.
      setImmediate(() => {
        this.readyState = 1;
        this.dispatchEvent(new Event('open'));
      });
    }
    send(message: string): void {
      setImmediate(() => send(message));
    }
    close(): void {
      this.readyState = 3;
      page.received.off('message', this.receive);
      this.dispatchEvent(new Event('close'));
    }
  }
  return BridgeSocket as unknown as typeof WebSocket;
}

function fakeIpc(page: FakePage) {
  const emitter = new EventEmitter();
  const deliver = (message: unknown, frame: IncomingIpc['senderFrame']) =>
    emitter.emit(ipcChannel, { sender: page, senderFrame: frame }, message);
  return { ipc: emitter as IpcReceiver, deliver, emitter };
}

async function overIpc(services: HostServices): Promise<Connected> {
  const page = new FakePage();
  const { ipc, deliver } = fakeIpc(page);
  const stopServing = serveIpc({ ipc, services, pageOrigin, logger: silentLogger });
  const frame = { url: `${pageOrigin}index.html`, parent: null };
  const client = createWSClient({
    url: 'ws://bridge',
    WebSocket: bridgeSocket(page, (message) => deliver(message, frame)),
  });
  return {
    rpc: createTRPCClient<AppRouter>({ links: [wsLink({ client })] }),
    vanish: () => page.emit('did-start-navigation', { isMainFrame: true, isSameDocument: false }),
    async stop() {
      void client.close();
      stopServing();
    },
  };
}

describe.each([
  ['WebSocket', overWebSocket],
  ['Electron IPC', overIpc],
])('the RPC over %s', (_, connect) => {
  let fake: ReturnType<typeof fakeServices>;
  let connected: Connected;
  beforeEach(async () => {
    fake = fakeServices();
    connected = await connect(fake.services);
  });
  afterEach(() => connected.stop());

  it('answers queries, many at once and large', async () => {
    const { rpc } = connected;
    const answers = await Promise.all(Array.from({ length: 50 }, () => rpc.clusters.list.query()));
    expect(answers).toHaveLength(50);
    expect(await rpc.clusters.kubeconfig.query({ name: 'a' })).toHaveLength(300_000);
  });

  it('carries code, hint and details of an error', async () => {
    const failure = await connected.rpc.clusters.start.mutate({ name: 'missing' }).catch(fromRpcError);
    expect(failure).toMatchObject({
      code: 'CLUSTER_NOT_FOUND',
      message: 'no missing',
      hint: 'Look.',
      details: { a: 1 },
    });
  });

  it('refuses wrong input by field', async () => {
    const failure = connected.rpc.clusters.create.mutate({ name: 'a', nodes: 0 });
    await expect(failure).rejects.toThrow(/at least 1/);
  });

  it('keeps the order of a stream to its end', async () => {
    const texts: string[] = [];
    await new Promise<void>((resolve, reject) => {
      connected.rpc.clusters.console.subscribe(
        { cluster: 'a', machine: 'a-1' },
        { onData: ({ text }) => void texts.push(text), onComplete: resolve, onError: reject },
      );
    });
    expect(texts).toEqual(Array.from({ length: 1000 }, (_, index) => String(index)));
  });

  it('ends a stream on the host when the page unsubscribes', async () => {
    const subscription = connected.rpc.clusters.watch.subscribe(undefined, { onData: () => undefined });
    await vi.waitFor(() => expect(fake.open.watches).toBe(1));
    subscription.unsubscribe();
    await vi.waitFor(() => expect(fake.open.watches).toBe(0));
  });

  it('ends every stream on the host when the page goes away', async () => {
    connected.rpc.clusters.watch.subscribe(undefined, { onData: () => undefined });
    connected.rpc.clusters.watch.subscribe(undefined, { onData: () => undefined });
    await vi.waitFor(() => expect(fake.open.watches).toBe(2));
    connected.vanish();
    await vi.waitFor(() => expect(fake.open.watches).toBe(0));
  });
});

describe('who may speak over IPC', () => {
  const message = JSON.stringify({ id: 1, method: 'query', params: { path: 'clusters.list' } });
  const own = { url: `${pageOrigin}#/`, parent: null };

  it.each([
    ['another page', message, { url: 'https://evil.example/', parent: null }],
    ['a page whose address only begins alike', message, { url: 'pilothouse://window.evil/', parent: null }],
    ['a frame within our page', message, { url: pageOrigin, parent: {} }],
    ['a frame that is gone', message, null],
    ['something that is no text', { id: 1 }, own],
    ['something too large', 'x'.repeat(5_000_000), own],
  ])('does not listen to %s', async (_, text, frame) => {
    const page = new FakePage();
    const send = vi.spyOn(page, 'send');
    const { ipc, deliver } = fakeIpc(page);
    const stop = serveIpc({ ipc, services: fakeServices().services, pageOrigin, logger: silentLogger });
    deliver(text, frame);
    deliver(message, own);
    await vi.waitFor(() => expect(send).toHaveBeenCalled());
    expect(send).toHaveBeenCalledTimes(1);
    stop();
  });

  it('sends nothing to a page that was destroyed', async () => {
    const page = new FakePage();
    const send = vi.spyOn(page, 'send');
    const { ipc, deliver } = fakeIpc(page);
    const stop = serveIpc({ ipc, services: fakeServices().services, pageOrigin, logger: silentLogger });
    deliver(message, own);
    page.destroyed = true;
    page.emit('destroyed');
    await new Promise((resolve) => setImmediate(resolve));
    expect(send).not.toHaveBeenCalled();
    stop();
  });
});
