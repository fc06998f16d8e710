// Runs controllers: waits for their informers, feeds their queues from watches, keeps workers on them, retries with
// backoff, and stops all of it when the signal aborts. No reconcile of a key runs twice at a time.

import { setMaxListeners } from 'node:events';
import { ApiError, type Client, EventRecorder, WorkQueue } from '../../client';
import { type Clock, type Logger, messageOf } from '../../kit';
import type { ClusterSettings, ControllerContext, ControllerDeclaration } from './controller';
import { InformerSet } from './informer-set';

export interface RunOptions {
  client: Client;
  logger: Logger;
  clock: Clock;
  settings: ClusterSettings;
  signal: AbortSignal;
}

const backoff = { baseMs: 5, maxMs: 60_000 };
const defaultConcurrency = 2;

export interface RunningControllers {
  /** Resolves when every worker and informer has ended, after the signal aborted. */
  ended: Promise<void>;
  /** Whether no controller has work that is ready or under way. */
  isIdle(): boolean;
}

/** Starts the controllers; resolves once all informers are synced and the workers run. */
export async function runControllers(
  declarations: readonly ControllerDeclaration[],
  options: RunOptions,
): Promise<RunningControllers> {
  const { signal } = options;
  // Every informer and watch listens to it: many listeners are not a leak here.
  setMaxListeners(0, signal);
  const informers = new InformerSet(options);
  const runners = declarations.map((declaration) => new ControllerRunner(declaration, options, informers));
  const informing = informers.start(signal);
  const stop = () => runners.forEach((runner) => runner.stop());
  signal.addEventListener('abort', stop, { once: true });
  await informers.waitForSync(signal);
  const working = runners.map((runner) => runner.run());
  return {
    ended: Promise.all([informing, ...working]).then(() => undefined),
    isIdle: () => runners.every((runner) => runner.isIdle()),
  };
}

class ControllerRunner {
  private readonly queue: WorkQueue;
  private readonly context: ControllerContext;
  private readonly reconcile: (key: string) => Promise<{ requeueAfterMs: number } | void>;

  constructor(
    private readonly declaration: ControllerDeclaration,
    options: RunOptions,
    informers: InformerSet,
  ) {
    const { client, clock, settings } = options;
    const { name, component } = declaration;
    const logger = options.logger.child({ controller: name });
    this.queue = new WorkQueue({ clock, backoff });
    const events = new EventRecorder({ client, component, logger, clock });
    this.context = { client, clock, settings, informers, logger, events };
    const reconciler = declaration.create(this.context);
    this.reconcile = (key) => reconciler.reconcile(key);
    for (const { resource, keys } of declaration.watches(settings)) {
      const enqueue = (change: Parameters<typeof keys>[0]) => {
        for (const key of keys(change, this.context)) this.queue.add(key);
      };
      informers.informer(resource).addHandler({
        add: (object) => enqueue({ object, deleted: false }),
        update: (old, object) => enqueue({ object, old, deleted: false }),
        delete: (object) => enqueue({ object, deleted: true }),
      });
    }
  }

  isIdle(): boolean {
    return this.queue.isIdle({ ignoreDelayed: true });
  }

  stop(): void {
    this.queue.shutdown();
  }

  async run(): Promise<void> {
    const workers = Array.from({ length: this.declaration.concurrency ?? defaultConcurrency }, () => this.work());
    await Promise.all(workers);
    await this.context.events.flush();
  }

  private async work(): Promise<void> {
    for (let key = await this.queue.next(); key !== undefined; key = await this.queue.next()) {
      try {
        const outcome = await this.reconcile(key);
        this.queue.forget(key);
        if (outcome) this.queue.addAfter(key, outcome.requeueAfterMs);
      } catch (error) {
        this.retry(key, error);
      } finally {
        this.queue.done(key);
      }
    }
  }

  private retry(key: string, error: unknown): void {
    const delayMs = this.queue.addRateLimited(key);
    const fields = { key, error: messageOf(error), delayMs };
    // Another writer was faster: reading again is the whole remedy.
    if (ApiError.is(error, 'Conflict')) this.context.logger.debug('conflict, reconciling again', fields);
    else this.context.logger.warn('reconcile failed, trying again', fields);
  }
}
