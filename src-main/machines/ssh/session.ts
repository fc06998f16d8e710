// One SSH connection into a machine, over ssh2. Every command has a deadline; the host key is pinned by the caller.

import { createHash } from 'node:crypto';
import { PassThrough, type Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import ssh2, { type ClientChannel } from 'ssh2';
import { messageOf, PilothouseError } from '../../kit';
import { tailOf } from '../command';
import { within } from '../duration';
import type { CommandResult, NodeFile, SshEndpoint, SshSession, StreamingCommand } from '../machine';
import { fingerprintOf } from './cluster-key';

export interface OpenSessionOptions {
  endpoint: SshEndpoint;
  /** Machine name, for messages. */
  machine: string;
  deadlineMs: number;
  /** Called with the fingerprint when none was pinned yet; the session opens when it resolves. */
  pin: (fingerprint: string) => void;
}

const outputLimit = 16 * 1024 * 1024;
const defaultDeadlineMs = 60_000;

/** Quotes one word for a POSIX shell. */
export function shellQuote(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}

/**
 * Connects and authenticates. Throws SSH_UNREACHABLE (retryable), SSH_REFUSED (authentication), HOST_KEY_CHANGED, or
 * DEADLINE_EXCEEDED.
 */
export async function openSession(options: OpenSessionOptions): Promise<SshSession> {
  const { endpoint, machine } = options;
  const client = new ssh2.Client();
  let changed: string | undefined;
  const connected = new Promise<void>((resolve, reject) => {
    client.once('ready', resolve);
    client.on('error', (error: Error & { level?: string }) => {
      if (changed) return reject(hostKeyChanged(options, changed));
      const refused = error.level === 'client-authentication';
      reject(
        new PilothouseError({
          code: refused ? 'SSH_REFUSED' : 'SSH_UNREACHABLE',
          message: `SSH to ${machine} at ${endpoint.host}:${endpoint.port}: ${messageOf(error)}`,
          hint: refused
            ? "The machine does not know this cluster's key; delete the machine and create it anew."
            : undefined,
          cause: error,
          retryable: !refused,
        }),
      );
    });
    client.once('close', () =>
      reject(
        new PilothouseError({
          code: 'SSH_UNREACHABLE',
          message: `SSH to ${machine} at ${endpoint.host}:${endpoint.port}: the connection closed before it was ready`,
          retryable: true,
        }),
      ),
    );
  });
  client.connect({
    host: endpoint.host,
    port: endpoint.port,
    username: endpoint.user,
    privateKey: endpoint.privateKey,
    readyTimeout: options.deadlineMs,
    keepaliveInterval: 15_000,
    keepaliveCountMax: 8,
    hostVerifier: (key: Buffer) => {
      const fingerprint = fingerprintOf(key);
      if (endpoint.hostKeyFingerprint && endpoint.hostKeyFingerprint !== fingerprint) {
        changed = fingerprint;
        return false;
      }
      if (!endpoint.hostKeyFingerprint) options.pin(fingerprint);
      return true;
    },
  });
  try {
    await within({ ms: options.deadlineMs, late: `${machine} did not answer over SSH` }, () => connected);
  } catch (error) {
    client.destroy();
    throw error;
  }
  return new Ssh2Session(client, machine);
}

function hostKeyChanged({ endpoint, machine }: OpenSessionOptions, seen: string): PilothouseError {
  return new PilothouseError({
    code: 'HOST_KEY_CHANGED',
    message: `${machine} showed host key ${seen}, but ${endpoint.hostKeyFingerprint} was pinned on first contact`,
    hint: `Another program may answer on port ${endpoint.port}. If the machine was rebuilt on purpose, delete it and create it anew.`,
    details: { expected: endpoint.hostKeyFingerprint, seen },
  });
}

interface StartedCommand {
  channel: ClientChannel;
  exit: Promise<{ exitCode?: number; signal?: string }>;
}

class Ssh2Session implements SshSession {
  private ended = false;

  constructor(
    private readonly client: ssh2.Client,
    private readonly machine: string,
  ) {
    client.on('close', () => {
      this.ended = true;
    });
  }

  async run(command: string, options: Parameters<SshSession['run']>[1] = {}): Promise<CommandResult> {
    const shown = command.length > 300 ? `${command.slice(0, 300)}…` : command;
    const what = `${options.what ?? `"${shown.replace(/\n[^]*/, ' …')}"`} on ${this.machine}`;
    const ms = options.deadlineMs ?? defaultDeadlineMs;
    const output = { stdout: [] as Buffer[], stderr: [] as Buffer[], size: 0 };
    const collect = (into: Buffer[]) => (chunk: Buffer) => {
      output.size += chunk.length;
      if (output.size <= outputLimit) into.push(chunk);
    };
    let channel: ClientChannel | undefined;
    try {
      return await within({ ms, late: `${what} did not end` }, async () => {
        const started = await this.channel(command);
        channel = started.channel;
        channel.on('data', collect(output.stdout));
        channel.stderr.on('data', collect(output.stderr));
        await feed(channel, options.stdin);
        const { exitCode, signal } = await started.exit;
        const stdout = Buffer.concat(output.stdout).toString();
        const stderr = Buffer.concat(output.stderr).toString();
        if (exitCode === 0 || (options.allowFailure && exitCode !== undefined)) {
          return { exitCode: exitCode ?? 0, stdout, stderr };
        }
        throw new PilothouseError({
          code: exitCode === undefined && !signal ? 'SSH_CONNECTION_LOST' : 'COMMAND_FAILED',
          message: `${what} failed: ${exitCode === undefined ? (signal ? `ended by ${signal}` : 'the connection was lost') : `exit code ${exitCode}`}`,
          details: { command: shown, exitCode, outputTail: tailOf(`${stdout}\n${stderr}`) },
          retryable: exitCode === undefined,
        });
      });
    } catch (error) {
      channel?.close();
      throw error;
    }
  }

  async stream(command: string): Promise<StreamingCommand> {
    const { channel, exit } = await this.channel(command);
    const stdout = channel.pipe(new PassThrough());
    const stderr = (channel.stderr as Readable).pipe(new PassThrough());
    return {
      stdin: channel,
      stdout,
      stderr,
      exit: exit.then(({ exitCode }) => exitCode),
      dispose: () => channel.close(),
    };
  }

  async writeFile(file: NodeFile): Promise<boolean> {
    const content = Buffer.from(file.content);
    const digest = createHash('sha256').update(content).digest('hex');
    const mode = file.mode.toString(8);
    const path = shellQuote(file.path);
    const script = [
      'set -e',
      `if [ "$(sha256sum < ${path} 2>/dev/null)" = "${digest}  -" ] && [ "$(stat -c %a ${path})" = ${mode} ]; then echo same; exit 0; fi`,
      `mkdir -p "$(dirname ${path})"`,
      `t=$(mktemp ${path}.XXXXXX)`,
      'cat > "$t"',
      `chmod ${mode} "$t"`,
      `mv -f "$t" ${path}`,
    ].join('\n');
    const result = await this.run(script, { stdin: content });
    return result.stdout.trim() !== 'same';
  }

  dispose(): void {
    this.ended = true;
    this.client.end();
  }

  private channel(command: string): Promise<StartedCommand> {
    return new Promise((resolve, reject) => {
      const lost = (error?: unknown) =>
        new PilothouseError({
          code: 'SSH_CONNECTION_LOST',
          message: `the SSH connection to ${this.machine} is closed`,
          cause: error,
          retryable: true,
        });
      if (this.ended) return reject(lost());
      this.client.exec(command, (error, channel) => {
        if (error) return reject(lost(error));
        // A command's start, exit and close can arrive in one packet: listen before anything else runs.
        resolve({ channel, exit: exitOf(channel) });
      });
    });
  }
}

function exitOf(channel: ClientChannel): Promise<{ exitCode?: number; signal?: string }> {
  return new Promise((resolve) => {
    const result: { exitCode?: number; signal?: string } = {};
    channel.on('exit', (code: number | null, signal?: string) => {
      if (code !== null) result.exitCode = code;
      result.signal = signal ?? undefined;
    });
    channel.on('close', () => resolve(result));
  });
}

/** Writes all of the input and closes it. A command that ends early without reading it is no failure of ours. */
async function feed(channel: ClientChannel, stdin: Buffer | NodeJS.ReadableStream | undefined): Promise<void> {
  if (!stdin || Buffer.isBuffer(stdin)) {
    channel.end(stdin);
    return;
  }
  try {
    await pipeline(stdin, channel.stdin ?? channel, { end: true });
  } catch (error) {
    if (!channel.writableEnded && !channel.destroyed) throw error;
  }
}
