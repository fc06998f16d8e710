// A queue that is read as an async iterable: the bridge from callbacks to streams.

export interface AsyncQueueOptions {
  /** Items held before `push` answers false and the queue fails; unbounded when absent. */
  capacity?: number;
}

export class AsyncQueue<T> implements AsyncIterable<T> {
  private readonly items: T[] = [];
  private waiting: { resolve(result: IteratorResult<T>): void; reject(error: unknown): void } | undefined;
  private ended = false;
  private failure: { error: unknown } | undefined;

  constructor(private readonly options: AsyncQueueOptions = {}) {}

  get size(): number {
    return this.items.length;
  }

  /** Adds an item; false when the queue has ended or is full. */
  push(item: T): boolean {
    if (this.ended || this.failure) return false;
    if (this.waiting) {
      const { resolve } = this.waiting;
      this.waiting = undefined;
      resolve({ value: item, done: false });
      return true;
    }
    if (this.options.capacity !== undefined && this.items.length >= this.options.capacity) return false;
    this.items.push(item);
    return true;
  }

  /** Lets the reader drain what is queued and then finish. */
  end(): void {
    this.ended = true;
    this.waiting?.resolve({ value: undefined, done: true });
    this.waiting = undefined;
  }

  /** Lets the reader drain what is queued and then throw. */
  fail(error: unknown): void {
    this.failure = { error };
    this.waiting?.reject(error);
    this.waiting = undefined;
  }

  next(): Promise<IteratorResult<T>> {
    if (this.items.length > 0) return Promise.resolve({ value: this.items.shift()!, done: false });
    if (this.failure) return Promise.reject(this.failure.error);
    if (this.ended) return Promise.resolve({ value: undefined, done: true });
    return new Promise((resolve, reject) => {
      this.waiting = { resolve, reject };
    });
  }

  [Symbol.asyncIterator](): AsyncIterator<T> {
    return {
      next: () => this.next(),
      return: () => {
        this.end();
        return Promise.resolve({ value: undefined, done: true });
      },
    };
  }
}
