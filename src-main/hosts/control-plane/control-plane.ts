// A whole control plane in this process: store, API server, controllers and scheduler, put together. The controllers
// and the scheduler go through the API server's own pipeline as the users Kubernetes knows them by.

import { startApiServer } from '../../apiserver';
import { startControllers } from '../../controllers';
import { DisposableStack, type Logger, systemClock } from '../../kit';
import { startScheduler } from '../../scheduler';
import { acquireInstanceLock, type ControlPlaneConfig } from '../../services';
import { startCompaction } from './compaction';
import { openStore } from './open-store';

export interface RunningControlPlane {
  port: number;
  stop(): Promise<void>;
}

/** As long as upstream's API server lets watchers and lists look back. */
const historyMs = 5 * 60_000;
/** A predecessor whose host died needs a moment to see it and end. */
const lockWaitMs = 10_000;
const authenticated = 'system:authenticated';

/** Resolves when the API answers and the controllers were started. Nothing is left behind when it throws. */
export async function startControlPlane(config: ControlPlaneConfig, logger: Logger): Promise<RunningControlPlane> {
  const stack = new DisposableStack();
  try {
    stack.use(
      await acquireInstanceLock({
        path: config.lockPath,
        what: `the store of cluster ${config.cluster}`,
        waitMs: lockWaitMs,
      }),
    );
    const store = await openStore(config, logger.child({ part: 'store' }));
    stack.defer(() => store.close());
    stack.defer(startCompaction({ store, keepMs: historyMs, clock: systemClock, logger }));
    const server = await startApiServer({
      store,
      listen: config.listen,
      certificates: config.certificates,
      networks: { service: config.networks.service },
      advertise: config.advertise,
      logger: logger.child({ part: 'apiserver' }),
    });
    stack.defer(() => server.stop());
    const loops = new AbortController();
    stack.defer(() => loops.abort(new Error('the control plane ends')));
    const as = (name: string) => server.client({ name, groups: [authenticated] });
    const [controllers, scheduler] = await Promise.all([
      startControllers({
        client: as('system:kube-controller-manager'),
        podNetwork: config.networks.pod,
        rootCertificate: config.certificates.ca,
        logger: logger.child({ part: 'controllers' }),
        signal: loops.signal,
      }),
      startScheduler({
        client: as('system:kube-scheduler'),
        logger: logger.child({ part: 'scheduler' }),
        signal: loops.signal,
      }),
    ]);
    stack.defer(() => controllers.stop());
    stack.defer(() => scheduler.stop());
    logger.info('the control plane is running', { port: server.port, revision: store.revision() });
    return { port: server.port, stop: () => stack.dispose() };
  } catch (error) {
    await stack.dispose();
    throw error;
  }
}
