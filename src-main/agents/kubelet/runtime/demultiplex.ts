// Docker frames the two outputs of a container without a terminal: 1 byte stream, 3 zero bytes, 4 bytes length, payload.

import { Transform, type Readable, pipeline } from 'node:stream';

class FrameStripper extends Transform {
  private held: Buffer = Buffer.alloc(0);
  private left = 0;

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    let data = this.held.length > 0 ? Buffer.concat([this.held, chunk]) : chunk;
    while (data.length > 0) {
      if (this.left > 0) {
        const part = data.subarray(0, this.left);
        this.left -= part.length;
        data = data.subarray(part.length);
        this.push(part);
        continue;
      }
      if (data.length < 8) break;
      this.left = data.readUInt32BE(4);
      data = data.subarray(8);
    }
    this.held = data;
    done();
  }
}

/** Both outputs joined in Docker's order. Destroying the result destroys the source. */
export function demultiplex(source: NodeJS.ReadableStream, options: { tty: boolean }): Readable {
  if (options.tty) return source as Readable;
  const plain = new FrameStripper();
  // The error, if any, is seen on `plain` itself, which pipeline destroys with it.
  pipeline(source, plain, () => undefined);
  return plain;
}
