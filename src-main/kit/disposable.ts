// Things that must be ended, registered where they are created.

export interface Disposable {
  dispose(): void | Promise<void>;
}

/** Ends everything registered, last first, once; the first failure is thrown after all were tried. */
export class DisposableStack implements Disposable {
  private readonly items: Disposable[] = [];
  private disposed = false;

  use<T extends Disposable>(item: T): T {
    this.items.push(item);
    return item;
  }

  defer(dispose: () => void | Promise<void>): void {
    this.items.push({ dispose });
  }

  async dispose(): Promise<void> {
    if (this.disposed) return;
    this.disposed = true;
    const failures: unknown[] = [];
    for (const item of this.items.reverse()) {
      try {
        await item.dispose();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  }
}
