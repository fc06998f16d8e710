// What is being done to a cluster right now. Invariants: at most one operation at a time; the newer one interrupts the
// older and begins when that has ended.

import { PilothouseError } from '../../kit';

export type OperationKind = 'start' | 'stop' | 'delete';

interface Operation {
  kind: OperationKind;
  abort: AbortController;
  done: Promise<void>;
}

export class Operations {
  private current: Operation | undefined;

  constructor(
    private readonly cluster: string,
    private readonly changed: () => void,
  ) {}

  /** The kind of the operation under way. */
  get kind(): OperationKind | undefined {
    return this.current?.kind;
  }

  /** The end of the operation under way, when it is of this kind. */
  joined(kind: OperationKind): Promise<void> | undefined {
    return this.current?.kind === kind ? this.current.done : undefined;
  }

  /** Interrupts what is under way, waits for its end, then works. Settles as the work does. */
  begin(kind: OperationKind, work: (signal: AbortSignal) => Promise<void>): Promise<void> {
    const previous = this.current;
    previous?.abort.abort(new PilothouseError({ code: 'INTERRUPTED', message: `interrupted by a ${kind}` }));
    const abort = new AbortController();
    const run = async () => {
      // The one before has told its own caller how it ended.
      if (previous) await Promise.allSettled([previous.done]);
      await work(abort.signal);
    };
    const done = run().finally(() => {
      if (this.current?.abort === abort) this.current = undefined;
      this.changed();
    });
    this.current = { kind, abort, done };
    return done;
  }

  busy(): PilothouseError {
    const verb = { start: 'started', stop: 'stopped', delete: 'deleted' }[this.current?.kind ?? 'start'];
    return new PilothouseError({
      code: 'CLUSTER_BUSY',
      message: `cluster ${this.cluster} is being ${verb}`,
      hint: 'Try again when that is done.',
      retryable: true,
    });
  }
}

/** Settles as `work` does, or rejects as soon as the signal aborts; whoever aborts also ends the work. */
export function abortable<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    work.then(resolve, reject);
  });
}
