// A headless host as a whole process: signals, last words, exit code. Used by its own entry and by `pilothouse serve`.

import { type Logger, messageOf, PilothouseError } from '../../kit';
import type { Application } from '../application';
import { type HeadlessHost, runHeadlessHost } from './run';

/** Machines get a minute to shut down, the rest some seconds. */
const stopDeadlineMs = 120_000;

/** Runs until it was asked to end, then exits the process: 0 = cleanly, 1 = not, 130 = a second Ctrl-C. */
export async function serveUntilStopped(options: {
  application: Application;
  port?: number;
  onReady: (host: HeadlessHost) => void;
  logger: Logger;
}): Promise<void> {
  const { logger } = options;
  const running: { host?: HeadlessHost } = {};
  let stopping = false;
  const stop = async () => {
    if (stopping) process.exit(130);
    stopping = true;
    setTimeout(() => {
      logger.error('the host did not end in time', { waitedMs: stopDeadlineMs });
      process.exit(1);
    }, stopDeadlineMs).unref();
    try {
      await running.host?.stop();
      process.exit(0);
    } catch (error) {
      logger.error('the host did not end cleanly', { reason: messageOf(error) });
      process.exit(1);
    }
  };
  process.on('SIGINT', () => void stop());
  process.on('SIGTERM', () => void stop());
  process.on('SIGHUP', () => void stop());
  process.on('uncaughtException', (error) => {
    logger.error('the host crashed', { error });
    process.exit(1);
  });
  process.on('unhandledRejection', (error) => {
    logger.error('a promise was forgotten', { error });
  });
  const host = await runHeadlessHost({
    application: options.application,
    port: options.port,
    // The answer to the caller leaves first.
    onShutdown: () => setTimeout(() => void stop(), 200),
  });
  running.host = host;
  options.onReady(host);
}

/** What a person reads when the host does not start. */
export function describeStartFailure(error: unknown): string {
  if (!(error instanceof PilothouseError)) return messageOf(error);
  return error.hint ? `${error.message}\n${error.hint}` : error.message;
}
