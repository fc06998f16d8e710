// Entry of a cluster's control plane process. It is told everything by its host, says "ready", and ends when it is asked
// to, when it is terminated, or when its host is gone.

import { type Logger, messageOf, PilothouseError } from '../../kit';
import { within } from '../../machines';
import { type ControlPlaneConfig, createLogger, errorCode } from '../../services';
import { openChannel } from './channel';
import { type RunningControlPlane, startControlPlane } from './control-plane';

const stopDeadlineMs = 10_000;
/** Errors after which the same start may work a little later. */
const passing = new Set(['ALREADY_RUNNING', 'STORE_LOCKED', 'ETCD_UNAVAILABLE']);

const channel = openChannel();
let logger: Logger = createLogger();
let starting: Promise<RunningControlPlane> | undefined;
let stopping = false;

channel.onMessage((message) => {
  if (message.type === 'stop') void stop('asked by the host');
  else if (!starting) void start(message.config);
});
channel.onDisconnect(() => void stop('the host is gone'));
// Ctrl-C in a terminal reaches every process of it: the host decides, machines go first.
process.on('SIGINT', () => undefined);
process.on('SIGTERM', () => void stop('terminated'));
process.on('uncaughtException', (error) => {
  logger.error('the control plane crashed', { error });
  process.exit(1);
});
process.on('unhandledRejection', (error) => {
  logger.error('the control plane crashed on a forgotten promise', { error });
  process.exit(1);
});

async function start(config: ControlPlaneConfig): Promise<void> {
  logger = createLogger({ file: config.logFile, level: config.logLevel, fields: { cluster: config.cluster } });
  process.title = `pilothouse control plane ${config.cluster}`;
  starting = startControlPlane(config, logger);
  try {
    const { port } = await starting;
    channel.send({ type: 'ready', port });
  } catch (error) {
    if (stopping) return;
    logger.error('the control plane did not start', { error });
    channel.send(failure(error, config));
    // The message must leave before the process does.
    setTimeout(() => process.exit(1), 100);
  }
}

async function stop(reason: string): Promise<void> {
  if (stopping) return;
  stopping = true;
  logger.info('the control plane ends', { reason });
  try {
    await within({ ms: stopDeadlineMs, late: 'the control plane did not end' }, async () => {
      await (await starting)?.stop();
    });
    process.exit(0);
  } catch (error) {
    logger.error('the control plane did not end cleanly', { error });
    process.exit(1);
  }
}

function failure(error: unknown, config: ControlPlaneConfig) {
  const known = error instanceof PilothouseError ? error : undefined;
  const system = errorCode(known?.cause ?? error);
  if (system === 'EADDRINUSE' || known?.code === 'PORT_TAKEN') {
    return {
      type: 'failed' as const,
      code: 'PORT_TAKEN',
      message: `port ${config.listen.port} on ${config.listen.host}, which the API server needs, is taken by another program`,
      hint: `Stop that program ("ss -ltnp sport = :${config.listen.port}" names it), then retry.`,
      // A predecessor of ours held the store's lock until its port was free: waiting does not help here.
      retryable: false,
    };
  }
  return {
    type: 'failed' as const,
    code: known?.code ?? 'CONTROL_PLANE_FAILED',
    message: messageOf(error),
    hint: known?.hint ?? `See ${config.logFile}.`,
    retryable: passing.has(known?.code ?? ''),
  };
}
