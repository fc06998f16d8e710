// The newest lines of a log. Appending is cheap whatever the length; publishing happens once per frame.

import { shallowRef } from 'vue';

const colours = new RegExp(`${String.fromCharCode(27)}\\[[0-9;?]*[A-Za-z]`, 'g');
const carriageReturns = /\r/g;

export class LogBuffer {
  /** A new array on every publication, so that views notice. */
  readonly lines = shallowRef<readonly string[]>([]);
  /** Older lines were let go. */
  readonly trimmed = shallowRef(false);
  private kept: string[] = [];
  private scheduled = false;

  constructor(private readonly options: { limit: number; schedule: (publish: () => void) => void }) {}

  append(lines: readonly string[]): void {
    for (const line of lines) this.kept.push(line.replace(colours, '').replace(carriageReturns, ''));
    // Trimmed with slack: moving the array for every line beyond the limit would be quadratic.
    if (this.kept.length > this.options.limit * 1.1) {
      this.kept = this.kept.slice(-this.options.limit);
      this.trimmed.value = true;
    }
    this.publishSoon();
  }

  clear(): void {
    this.kept = [];
    this.trimmed.value = false;
    this.lines.value = [];
  }

  private publishSoon(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    this.options.schedule(() => {
      this.scheduled = false;
      this.lines.value = [...this.kept];
    });
  }
}
