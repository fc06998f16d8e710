// Child processes of the journeys: run to the end with a deadline, or kept and ended with the test.
import { type ChildProcess, spawn } from 'node:child_process';

export interface Finished {
  code: number;
  stdout: string;
  stderr: string;
}

export interface RunOptions {
  env?: NodeJS.ProcessEnv;
  input?: string;
  deadlineMs?: number;
  cwd?: string;
}

/** Runs a command to its end; never throws for an exit code, always for a missed deadline. */
export function run(command: string, args: string[], options: RunOptions = {}): Promise<Finished> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { env: options.env ?? process.env, cwd: options.cwd });
    const deadlineMs = options.deadlineMs ?? 60_000;
    let stdout = '';
    let stderr = '';
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      reject(new Error(`${command} ${args.join(' ')}: not done after ${deadlineMs} ms\n${stdout}\n${stderr}`));
    }, deadlineMs);
    child.stdout.on('data', (chunk) => (stdout += chunk));
    child.stderr.on('data', (chunk) => (stderr += chunk));
    child.on('error', reject);
    child.on('close', (code) => {
      clearTimeout(timer);
      resolve({ code: code ?? -1, stdout, stderr });
    });
    child.stdin.end(options.input ?? '');
  });
}

/** As `run`, but anything other than exit code 0 is an error that shows what was printed. */
export async function runOk(command: string, args: string[], options: RunOptions = {}): Promise<string> {
  const result = await run(command, args, options);
  if (result.code !== 0) {
    throw new Error(`${command} ${args.join(' ')}: exit code ${result.code}\n${result.stdout}\n${result.stderr}`);
  }
  return result.stdout;
}

/** Asks `probe` again until it answers something other than undefined; the last error tells why it never did. */
export async function eventually<T>(
  what: string,
  probe: () => Promise<T | undefined>,
  options: { deadlineMs: number; everyMs?: number },
): Promise<T> {
  const until = Date.now() + options.deadlineMs;
  let last: unknown;
  while (Date.now() < until) {
    try {
      const answer = await probe();
      if (answer !== undefined) return answer;
    } catch (error) {
      last = error;
    }
    await new Promise((resolve) => setTimeout(resolve, options.everyMs ?? 500));
  }
  throw new Error(`${what}: not within ${options.deadlineMs} ms${last ? `; last error: ${String(last)}` : ''}`);
}

/** A kept process and all it printed so far. */
export interface Kept {
  child: ChildProcess;
  output(): string;
  /** SIGTERM, then SIGKILL after `deadlineMs`. */
  end(deadlineMs?: number): Promise<void>;
}

export function keep(command: string, args: string[], options: RunOptions = {}): Kept {
  const child = spawn(command, args, { env: options.env ?? process.env, cwd: options.cwd, stdio: 'pipe' });
  let output = '';
  child.stdout.on('data', (chunk) => (output += chunk));
  child.stderr.on('data', (chunk) => (output += chunk));
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  return {
    child,
    output: () => output,
    async end(deadlineMs = 60_000) {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), deadlineMs);
      await ended;
      clearTimeout(timer);
    },
  };
}
