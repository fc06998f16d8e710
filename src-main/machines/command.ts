// Child processes of the host, supervised: every one has a deadline, is ended with its whole process group, and fails with
// its command, exit code and the tail of its output.

import { spawn } from 'node:child_process';
import { messageOf, PilothouseError } from '../kit';
import { duration } from './duration';

export interface CommandOptions {
  deadlineMs: number;
  /** Names it in messages where the command line would be unreadable: "installing the packages of the node image". */
  what?: string;
  hint?: string;
  /** Called with the pid, which is that of the process group too, once it runs. */
  onStart?: (pid: number) => void;
  environment?: Record<string, string>;
  signal?: AbortSignal;
  /** Called with every whole line of either stream. */
  onLine?: (line: string) => void;
  allowFailure?: boolean;
}

export interface HostCommandResult {
  exitCode: number;
  stdout: string;
  stderr: string;
}

const outputLimit = 8 * 1024 * 1024;

/** The last lines of a text, for failures shown to a person. */
export function tailOf(text: string, lines = 30): string {
  return text.trimEnd().split('\n').slice(-lines).join('\n');
}

/** A shell-readable form of a command, for messages; never executed. */
export function printable(command: readonly string[]): string {
  return command.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`)).join(' ');
}

function endGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/**
 * Runs a program to its end. Throws COMMAND_NOT_FOUND, COMMAND_DEADLINE, COMMAND_FAILED (unless `allowFailure`), or the
 * signal's reason when aborted; in every case the process group is gone afterwards.
 */
export function runCommand(
  command: readonly [string, ...string[]],
  options: CommandOptions,
): Promise<HostCommandResult> {
  const [program, ...rest] = command;
  const shown = printable(command);
  return new Promise((resolve, reject) => {
    if (options.signal?.aborted) return reject(options.signal.reason);
    const child = spawn(program, rest, {
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      // mkfs and chroot are not in the PATH of an ordinary user.
      env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin`, ...options.environment, LC_ALL: 'C.UTF-8' },
    });
    if (child.pid !== undefined) options.onStart?.(child.pid);
    const output = { stdout: '', stderr: '', all: '', rest: '' };
    let cause: unknown;
    const end = (reason: unknown) => {
      cause ??= reason;
      if (child.pid === undefined) return;
      const pid = child.pid;
      endGroup(pid, 'SIGTERM');
      const hard = setTimeout(() => endGroup(pid, 'SIGKILL'), 3000);
      child.once('close', () => clearTimeout(hard));
    };
    const deadline = setTimeout(
      () => end(failure('COMMAND_DEADLINE', `did not end within ${duration(options.deadlineMs)}`)),
      options.deadlineMs,
    );
    const onAbort = () => end(options.signal?.reason);
    options.signal?.addEventListener('abort', onAbort, { once: true });
    const failure = (code: string, what: string, exitCode?: number, thrown?: unknown) =>
      new PilothouseError({
        code,
        message: `${options.what ?? (shown.length > 300 ? `${shown.slice(0, 300)}…` : shown)} failed: ${what}`,
        hint: options.hint,
        cause: thrown,
        details: { command: shown, exitCode, outputTail: tailOf(output.all) },
      });
    const collect = (stream: 'stdout' | 'stderr') => (chunk: Buffer) => {
      const text = chunk.toString();
      if (output[stream].length < outputLimit) output[stream] += text;
      output.all = (output.all + text).slice(-64 * 1024);
      if (!options.onLine) return;
      const lines = (output.rest + text).split('\n');
      output.rest = lines.pop() ?? '';
      for (const line of lines) options.onLine(line);
    };
    child.stdout.on('data', collect('stdout'));
    child.stderr.on('data', collect('stderr'));
    const settle = () => {
      clearTimeout(deadline);
      options.signal?.removeEventListener('abort', onAbort);
    };
    child.once('error', (error: NodeJS.ErrnoException) => {
      settle();
      const code = error.code === 'ENOENT' ? 'COMMAND_NOT_FOUND' : 'COMMAND_FAILED';
      reject(failure(code, messageOf(error), undefined, error));
    });
    child.once('close', (exitCode, signal) => {
      settle();
      if (cause !== undefined) return reject(cause);
      if (exitCode === 0 || (options.allowFailure && exitCode !== null)) {
        return resolve({ exitCode: exitCode ?? 1, stdout: output.stdout, stderr: output.stderr });
      }
      reject(
        failure(
          'COMMAND_FAILED',
          exitCode === null ? `ended by ${signal}` : `exit code ${exitCode}`,
          exitCode ?? undefined,
        ),
      );
    });
  });
}
