// One port of the switch: reads QEMU's framing (4-byte big-endian length, then an Ethernet frame) from a stream and writes
// it back. Its queue is bounded: a guest that does not read loses frames, as on a wire, and never costs the host memory.

import type { Duplex } from 'node:stream';

export interface PortCounters {
  receivedFrames: number;
  receivedBytes: number;
  sentFrames: number;
  sentBytes: number;
  droppedFrames: number;
}

export interface SwitchPortOptions {
  name: string;
  stream: Duplex;
  /** A complete frame without its length header; valid only during the call. */
  onFrame: (frame: Buffer) => void;
  onClose: () => void;
  /** Bytes that may wait for the guest before frames are dropped. */
  queueLimit?: number;
}

/** Jumbo frames and virtio offloads reach 64 KiB plus headers; more means the framing was lost. */
const frameLimit = 70_000;
const headerLength = 4;
const defaultQueueLimit = 4 * 1024 * 1024;

export class SwitchPort {
  readonly name: string;
  readonly counters: PortCounters = {
    receivedFrames: 0,
    receivedBytes: 0,
    sentFrames: 0,
    sentBytes: 0,
    droppedFrames: 0,
  };
  private remainder: Buffer | undefined;
  private closed = false;

  constructor(private readonly options: SwitchPortOptions) {
    this.name = options.name;
    options.stream.on('data', (chunk: Buffer) => this.receive(chunk));
    // An error is always followed by `close`, which is where the port ends.
    options.stream.on('error', () => this.close());
    options.stream.on('close', () => this.close());
  }

  /** Sends a frame to the guest; false when it was dropped. */
  send(frame: Buffer): boolean {
    if (this.closed || this.options.stream.writableLength > (this.options.queueLimit ?? defaultQueueLimit)) {
      this.counters.droppedFrames += 1;
      return false;
    }
    const message = Buffer.allocUnsafe(headerLength + frame.length);
    message.writeUInt32BE(frame.length, 0);
    frame.copy(message, headerLength);
    this.counters.sentFrames += 1;
    this.counters.sentBytes += frame.length;
    this.options.stream.write(message);
    return true;
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.options.stream.destroy();
    this.options.onClose();
  }

  private receive(chunk: Buffer): void {
    const data = this.remainder ? Buffer.concat([this.remainder, chunk]) : chunk;
    this.remainder = undefined;
    let offset = 0;
    while (data.length - offset >= headerLength && !this.closed) {
      const length = data.readUInt32BE(offset);
      if (length > frameLimit) return this.close();
      const end = offset + headerLength + length;
      if (data.length < end) break;
      this.counters.receivedFrames += 1;
      this.counters.receivedBytes += length;
      this.options.onFrame(data.subarray(offset + headerLength, end));
      offset = end;
    }
    if (offset < data.length) this.remainder = Buffer.from(data.subarray(offset));
  }
}
