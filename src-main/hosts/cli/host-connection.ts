// The command line's way to the running host: found by host.json, started in the background when there is none.

import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { get } from 'node:http';
import { createTRPCClient, createWSClient, TRPCClientError, type TRPCClient, wsLink } from '@trpc/client';
import { WebSocket as NodeWebSocket } from 'ws';
import { z } from 'zod';
import { type AppRouter, type HostFile, type RpcErrorDetails, rpcPath, tokenParameter } from '../../contract';
import { messageOf, PilothouseError, sleep } from '../../kit';
import { commandName } from '../../machines';
import { type HomePaths, readFileIfPresent } from '../../services';
import type { Application } from '../application';

export type Rpc = TRPCClient<AppRouter>;

export interface HostConnection {
  rpc: Rpc;
  file: HostFile;
  /** Settles as `work` does; a PilothouseError of what the host answered, or HOST_UNREACHABLE when it went away. */
  call<T>(work: (rpc: Rpc) => Promise<T>): Promise<T>;
  /** Each item of a subscription until `onItem` answers true or the stream ends. Errors as `call`. */
  follow<T>(subscribe: Subscribe<T>, onItem: (item: T) => boolean | undefined): Promise<void>;
  close(): void;
}

interface Observer<T> {
  onData(item: T): void;
  onError(error: unknown): void;
  onComplete(): void;
}
export type Subscribe<T> = (rpc: Rpc, observer: Observer<T>) => { unsubscribe(): void };

const hostFileSchema = z.object({
  pid: z.int().positive(),
  url: z.url(),
  token: z.string().min(1),
  version: z.string(),
});
const probeMs = 3_000;
const startMs = 30_000;

/** The running host, or undefined when none answers. */
export async function findHost(paths: HomePaths): Promise<HostFile | undefined> {
  const text = await readFileIfPresent(paths.hostFile);
  if (text === undefined) return undefined;
  const file = hostFileSchema.safeParse(parseJson(text));
  return file.success && (await answers(file.data)) ? file.data : undefined;
}

/** Error HOST_UNREACHABLE. */
export async function connectHost(paths: HomePaths): Promise<HostConnection> {
  const file = await findHost(paths);
  if (file) return connect(file);
  throw new PilothouseError({
    code: 'HOST_UNREACHABLE',
    message: `no Pilothouse host is running for ${paths.directory}`,
    hint: `Start one: ${commandName()} up, ${commandName()} open or ${commandName()} serve`,
  });
}

/** The running host, or a new one in the background. Error HOST_NOT_STARTED with the end of its log. */
export async function ensureHost(paths: HomePaths, application: Application): Promise<HostConnection> {
  const running = await findHost(paths);
  if (running) return connect(running);
  mkdirSync(paths.logs, { recursive: true, mode: 0o700 });
  const output = openSync(`${paths.logs}/host.output.log`, 'w', 0o600);
  const child = spawn(process.execPath, [...application.execArgv, application.entries.headless], {
    detached: true,
    stdio: ['ignore', output, output],
    env: { ...process.env, PILOTHOUSE_HOME: paths.directory },
    cwd: application.root,
  });
  closeSync(output);
  const end: { how?: string } = {};
  child.once('exit', (code, signal) => (end.how = `it ended with ${signal ?? `exit code ${code}`}`));
  child.once('error', (error) => (end.how = messageOf(error)));
  child.unref();
  const deadline = Date.now() + startMs;
  while (end.how === undefined && Date.now() < deadline) {
    const file = await findHost(paths);
    if (file) return connect(file);
    await sleep(100);
  }
  const tail = (await readFileIfPresent(`${paths.logs}/host.output.log`))?.trim().split('\n').slice(-5).join('\n');
  throw new PilothouseError({
    code: 'HOST_NOT_STARTED',
    message: `the background host did not start: ${end.how ?? `nothing within ${startMs / 1000} s`}${tail ? `\n${tail}` : ''}`,
    hint: `See ${paths.hostLog}.`,
  });
}

export function connect(file: HostFile): HostConnection {
  const query = new URLSearchParams({ [tokenParameter]: file.token });
  const gone: { reject?: (error: unknown) => void } = {};
  const lost = new Promise<never>((_, reject) => (gone.reject = reject));
  // Whoever waits on a call is told; without anyone waiting, a lost connection is no failure of the process.
  lost.catch(() => undefined);
  let isClosed = false;
  const socket = createWSClient({
    url: `${file.url.replace(/^http/, 'ws')}${rpcPath}?${query}`,
    WebSocket: NodeWebSocket as unknown as typeof WebSocket,
    retryDelayMs: () => 500,
    onClose: () => void checkStillThere(),
  });
  const rpc = createTRPCClient<AppRouter>({ links: [wsLink({ client: socket })] });

  async function checkStillThere(): Promise<void> {
    if (isClosed || (await answers(file))) return;
    gone.reject?.(
      new PilothouseError({
        code: 'HOST_UNREACHABLE',
        message: 'the host ended, or cannot be reached any more',
        hint: `${commandName()} logs host says why; then try again.`,
      }),
    );
  }

  return {
    rpc,
    file,
    async call(work) {
      try {
        return await Promise.race([work(rpc), lost]);
      } catch (error) {
        throw fromRpcError(error);
      }
    },
    async follow(subscribe, onItem) {
      const subscription: { current?: { unsubscribe(): void } } = {};
      const ended = new Promise<void>((resolve, reject) => {
        subscription.current = subscribe(rpc, {
          onData: (item) => {
            if (onItem(item)) resolve();
          },
          onError: reject,
          onComplete: resolve,
        });
      });
      try {
        await Promise.race([ended, lost]);
      } catch (error) {
        throw fromRpcError(error);
      } finally {
        subscription.current?.unsubscribe();
      }
    },
    close() {
      isClosed = true;
      void socket.close();
    },
  };
}

/** What the host told, as the error it was there. */
export function fromRpcError(error: unknown): unknown {
  if (!(error instanceof TRPCClientError)) return error;
  const data = error.data as { code?: string; pilothouse?: RpcErrorDetails } | null | undefined;
  const told = data?.pilothouse;
  return new PilothouseError({
    code: told?.code ?? data?.code ?? 'HOST_UNREACHABLE',
    message: error.message,
    hint: told?.hint,
    details: told?.details,
    cause: error,
  });
}

/** Whether that very host is there and takes the token: it answers "upgrade required". */
function answers(file: HostFile): Promise<boolean> {
  const query = new URLSearchParams({ [tokenParameter]: file.token });
  return new Promise((resolve) => {
    const request = get(`${file.url}${rpcPath}?${query}`, { timeout: probeMs, agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode === 426);
    });
    request.on('timeout', () => request.destroy(new Error('timeout')));
    request.on('error', () => resolve(false));
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    // Half-written by an older version: as good as none.
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
