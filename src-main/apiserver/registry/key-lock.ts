// One writer a key at a time: within one API server writes of the same object queue up instead of meeting in conflict.

export class KeyLock {
  private readonly tails = new Map<string, Promise<void>>();

  /** Runs `work` when all earlier work of the key has ended. */
  async run<T>(key: string, work: () => Promise<T>): Promise<T> {
    const before = this.tails.get(key);
    let release = (): void => {};
    const mine = new Promise<void>((resolve) => {
      release = resolve;
    });
    this.tails.set(key, mine);
    try {
      if (before) await before;
      return await work();
    } finally {
      release();
      if (this.tails.get(key) === mine) this.tails.delete(key);
    }
  }
}
