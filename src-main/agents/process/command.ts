// Runs one short command of the node (ip, iptables-restore, conntrack) with a deadline and keeps its output for errors.

import { spawn } from 'node:child_process';
import { PilothouseError } from '../../kit';

export interface CommandResult {
  code: number;
  stdout: string;
  stderr: string;
}

export interface CommandOptions {
  input?: string;
  timeoutMs?: number;
  /** Exit codes that are no failure; default only 0. */
  allow?: readonly number[] | 'any';
}

/** Runs programs; a seam so that tests can put every command into a network namespace. */
export type RunCommand = (command: readonly string[], options?: CommandOptions) => Promise<CommandResult>;

/** `prefix` is put before every command, e.g. ['ip', 'netns', 'exec', NAME]. */
export function createCommandRunner(prefix: readonly string[] = []): RunCommand {
  return (command, options = {}) =>
    new Promise((resolve, reject) => {
      const [file, ...args] = [...prefix, ...command];
      const child = spawn(file!, args, { stdio: ['pipe', 'pipe', 'pipe'] });
      const out: Buffer[] = [];
      const err: Buffer[] = [];
      let size = 0;
      const keep = (list: Buffer[]) => (chunk: Buffer) => {
        size += chunk.length;
        if (size < 8 << 20) list.push(chunk);
      };
      child.stdout.on('data', keep(out));
      child.stderr.on('data', keep(err));
      const timer = setTimeout(() => child.kill('SIGKILL'), options.timeoutMs ?? 20_000);
      const failed = (message: string, details: Record<string, unknown>, cause?: unknown) =>
        reject(new PilothouseError({ code: 'NODE_COMMAND_FAILED', message, details, cause, retryable: true }));
      child.on('error', (error) => {
        clearTimeout(timer);
        failed(`${command.join(' ')}: ${error.message}`, { command }, error);
      });
      child.on('close', (code, signal) => {
        clearTimeout(timer);
        const stdout = Buffer.concat(out).toString('utf8');
        const stderr = Buffer.concat(err).toString('utf8');
        const allowed = options.allow ?? [0];
        if (code !== null && (allowed === 'any' || allowed.includes(code))) return resolve({ code, stdout, stderr });
        const tail = stderr.trim().split('\n').slice(-4).join('; ');
        failed(`${command.join(' ')}: ${signal ?? `exit code ${code}`}${tail ? `: ${tail}` : ''}`, {
          command,
          code,
          signal,
          stderr: stderr.slice(-2000),
        });
      });
      // A program that ends before reading its input makes this pipe fail; its exit code already tells the story.
      child.stdin.on('error', () => child.stdin.destroy());
      child.stdin.end(options.input ?? '');
    });
}
