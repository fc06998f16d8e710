// What the exit code says, for scripts. Documented in docs/cli.md and in --help: change all three together.

import { PilothouseError } from '../../kit';

export const exitCodes = {
  ok: 0,
  failed: 1,
  usage: 2,
  unreachable: 3,
  notFound: 4,
  timedOut: 5,
  interrupted: 130,
} as const;

export const exitCodeHelp = `Exit codes:
  0  done
  1  failed: the message says why and what to do
  2  wrong usage: the message names the flag and what is allowed
  3  no host is running, or it cannot be reached
  4  there is no such cluster, machine or image
  5  not done within the time allowed
  130  interrupted; what was begun goes on in the background`;

const byCode: Readonly<Record<string, number>> = {
  BAD_USAGE: exitCodes.usage,
  HOST_UNREACHABLE: exitCodes.unreachable,
  HOST_NOT_STARTED: exitCodes.unreachable,
  CLUSTER_NOT_FOUND: exitCodes.notFound,
  MACHINE_NOT_FOUND: exitCodes.notFound,
  IMAGE_NOT_FOUND: exitCodes.notFound,
  LOG_NOT_FOUND: exitCodes.notFound,
  NOT_FOUND: exitCodes.notFound,
  TIMED_OUT: exitCodes.timedOut,
  DEADLINE_EXCEEDED: exitCodes.timedOut,
};

export function exitCodeOf(error: unknown): number {
  return error instanceof PilothouseError ? (byCode[error.code] ?? exitCodes.failed) : exitCodes.failed;
}

export function badUsage(message: string, hint?: string): PilothouseError {
  return new PilothouseError({ code: 'BAD_USAGE', message, hint });
}
