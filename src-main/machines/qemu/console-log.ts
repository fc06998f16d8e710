// The serial console of a machine: QEMU appends to a file, listeners get its recent text and what follows. Being a file it
// survives the host process; it is cut short when it grows beyond its limit.

import {
  closeSync,
  existsSync,
  fstatSync,
  ftruncateSync,
  openSync,
  readFileSync,
  readSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { StringDecoder } from 'node:string_decoder';
import { type Clock, type Disposable, systemClock } from '../../kit';

const historyBytes = 64 * 1024;
const sizeLimit = 4 * 1024 * 1024;
const pollMs = 200;

export class ConsoleLog implements Disposable {
  private readonly listeners = new Set<(text: string) => void>();
  private offset = 0;
  private decoder = new StringDecoder('utf8');
  private cancelPoll: (() => void) | undefined;

  constructor(
    readonly path: string,
    private readonly clock: Clock = systemClock,
  ) {}

  /** Before a boot: keeps only the recent part of a grown file. */
  trim(): void {
    if (!existsSync(this.path) || statSync(this.path).size <= sizeLimit / 2) return;
    const text = readFileSync(this.path);
    writeFileSync(this.path, text.subarray(-historyBytes), { mode: 0o600 });
    this.offset = 0;
  }

  /** The last text of the console. */
  tail(bytes = historyBytes): string {
    return this.read(Math.max(0, this.size() - bytes)).toString();
  }

  follow(listener: (text: string) => void): Disposable {
    if (this.listeners.size === 0) {
      this.offset = this.size();
      this.decoder = new StringDecoder('utf8');
    }
    const start = Math.max(0, this.offset - historyBytes);
    const history = this.read(start)
      .subarray(0, this.offset - start)
      .toString();
    this.listeners.add(listener);
    if (history) listener(history);
    this.cancelPoll ??= this.clock.after(pollMs, () => this.poll());
    return { dispose: () => void this.listeners.delete(listener) };
  }

  dispose(): void {
    this.listeners.clear();
    this.cancelPoll?.();
    this.cancelPoll = undefined;
  }

  private size(): number {
    return existsSync(this.path) ? statSync(this.path).size : 0;
  }

  private read(from: number): Buffer {
    if (!existsSync(this.path)) return Buffer.alloc(0);
    const file = openSync(this.path, 'r');
    try {
      const buffer = Buffer.alloc(Math.max(0, fstatSync(file).size - from));
      return buffer.subarray(0, readSync(file, buffer, 0, buffer.length, from));
    } finally {
      closeSync(file);
    }
  }

  private poll(): void {
    this.cancelPoll = undefined;
    if (this.listeners.size === 0) return;
    const size = this.size();
    if (size < this.offset) this.offset = 0;
    if (size > this.offset) {
      const chunk = this.read(this.offset);
      this.offset += chunk.length;
      const text = this.decoder.write(chunk);
      for (const listener of this.listeners) listener(text);
    }
    this.enforceLimit();
    this.cancelPoll = this.clock.after(pollMs, () => this.poll());
  }

  /** QEMU appends, so cutting the file to nothing is safe while it writes. */
  enforceLimit(): void {
    if (this.size() <= sizeLimit) return;
    const file = openSync(this.path, 'r+');
    try {
      ftruncateSync(file, 0);
    } finally {
      closeSync(file);
    }
    this.offset = 0;
  }
}
