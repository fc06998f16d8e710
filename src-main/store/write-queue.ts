// Group commit. Writes queue up while the disk is busy; then all that waited are applied in the order they came, go to
// disk as one durable commit, become visible, and only then settle.
//
// Invariants: one batch is in flight at a time; `committed` moves only after the disk said durable; watchers are told
// before the writers are; nobody, not even a writer that fails a check, learns of state that is not yet durable.

import type { Logger } from '../kit';
import { Batch, type Change, type MvccState } from './batch';
import { StoreError } from './store-error';

interface Write {
  apply(batch: Batch): unknown;
  resolve(result: unknown): void;
  reject(error: unknown): void;
}

interface Outcome {
  write: Write;
  result?: unknown;
  failure?: { error: unknown };
}

export interface WriteQueueOptions {
  state: MvccState;
  logger: Logger;
  /** Told of the changes of every batch once they are durable and visible. */
  onCommitted(changes: readonly Change[], revision: number): void;
}

/** Bounds the time one batch keeps the event loop. */
const mostWritesPerBatch = 1024;

export class WriteQueue {
  private queue: Write[] = [];
  private running: Promise<void> | undefined;
  private closed = false;

  constructor(private readonly options: WriteQueueOptions) {}

  /** Runs `apply` as one transaction and resolves with its result when that is durable. */
  submit<T>(apply: (batch: Batch) => T): Promise<T> {
    if (this.closed) return Promise.reject(new StoreError('STORE_CLOSED'));
    return new Promise<T>((resolve, reject) => {
      this.queue.push({ apply, resolve: (result) => resolve(result as T), reject });
      this.running ??= this.run();
    });
  }

  /** Refuses new writes and resolves when those accepted have settled. */
  async close(): Promise<void> {
    this.closed = true;
    await this.running;
  }

  private async run(): Promise<void> {
    while (this.queue.length > 0) {
      // One turn of patience lets writers that were woken together share a commit.
      await new Promise<void>((resolve) => {
        setImmediate(resolve);
      });
      const writes = this.queue.length <= mostWritesPerBatch ? this.queue : this.queue.slice(0, mostWritesPerBatch);
      this.queue = writes === this.queue ? [] : this.queue.slice(mostWritesPerBatch);
      await this.commit(writes);
    }
    this.running = undefined;
  }

  private async commit(writes: readonly Write[]): Promise<void> {
    const { state, logger } = this.options;
    const batch = new Batch(state);
    const outcomes = writes.map((write) => attempt(batch, write));
    try {
      if (!batch.isEmpty) await state.disk.commit(batch.toDisk());
    } catch (error) {
      batch.rollBack();
      logger.error('store commit failed', { writes: writes.length, error });
      for (const { reject } of writes) reject(error);
      return;
    }
    state.committed = batch.revision;
    for (const { version } of batch.changes) state.values.add(version);
    if (batch.changes.length > 0) this.options.onCommitted(batch.changes, batch.revision);
    for (const { write, result, failure } of outcomes) {
      if (failure) write.reject(failure.error);
      else write.resolve(result);
    }
  }
}

function attempt(batch: Batch, write: Write): Outcome {
  try {
    return { write, result: batch.transact(write.apply) };
  } catch (error) {
    return { write, failure: { error } };
  }
}
