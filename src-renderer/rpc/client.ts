// The one connection of this window to the host. Created on first use; reconnects by itself with growing delays;
// `connection` tells how it stands. Queries and mutations in flight when it breaks fail, subscriptions are sent again.

import { createTRPCClient, createWSClient, type TRPCClient, wsLink } from '@trpc/client';
import { readonly, shallowRef } from 'vue';
import type { AppRouter } from '../../src-main/contract';
import { rpcPath, tokenParameter } from '../../src-main/contract/transport';
import { bridgeSocketClass } from './bridge-socket';
import { takeToken } from './token';

export type ConnectionState = 'connecting' | 'connected' | 'reconnecting' | 'refused';

const state = shallowRef<ConnectionState>('connecting');
/** How the connection to the host stands right now. */
export const connection = readonly(state);
/** Counts openings of the connection: a change means that what was asked before must be asked again. */
const openings = shallowRef(0);
export const connectionOpenings = readonly(openings);

export type Rpc = TRPCClient<AppRouter>;
let client: Rpc | undefined;

const retryDelays = [0, 300, 700, 1500, 3000, 5000] as const;

function socketUrl(token: string | undefined): string {
  const { protocol, host } = window.location;
  const query = token ? `?${new URLSearchParams({ [tokenParameter]: token })}` : '';
  return `${protocol === 'https:' ? 'wss' : 'ws'}://${host}${rpcPath}${query}`;
}

/**
 * A browser hides why an upgrade was refused; the same path asked by plain HTTP answers with the status. Only a clear
 * "unauthorized" counts: everything else is a host that is not there at the moment.
 */
async function tokenIsRefused(token: string | undefined): Promise<boolean> {
  const url = socketUrl(token).replace(/^ws/, 'http');
  const status = await fetch(url, { cache: 'no-store' }).then(
    (response) => response.status,
    () => 0,
  );
  return status === 401 || status === 403;
}

function connect(): Rpc {
  const bridge = window.pilothouse;
  const token = bridge
    ? undefined
    : takeToken({ location: window.location, history: window.history, storage: window.sessionStorage });
  const socket = createWSClient({
    url: bridge ? 'ws://bridge' : socketUrl(token),
    WebSocket: bridge ? bridgeSocketClass(bridge) : undefined,
    retryDelayMs: (attempt) => retryDelays[Math.min(attempt, retryDelays.length - 1)]!,
    keepAlive: bridge ? undefined : { enabled: true, intervalMs: 5000, pongTimeoutMs: 8000 },
    onOpen: () => {
      state.value = 'connected';
      openings.value += 1;
    },
    onClose: (cause) => {
      state.value =
        cause?.code === 1008 || cause?.code === 4401 ? 'refused' : openings.value ? 'reconnecting' : 'connecting';
    },
    onError: () => {
      if (bridge) return;
      void tokenIsRefused(token).then((refused) => {
        if (refused && state.value !== 'connected') state.value = 'refused';
      });
    },
  });
  return createTRPCClient<AppRouter>({ links: [wsLink({ client: socket })] });
}

/** The typed client of the host. */
export function rpc(): Rpc {
  client ??= connect();
  return client;
}
