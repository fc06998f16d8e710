// Protobuf's wire format, as much of it as etcd's hot messages need. Written by hand because the endpoint's cost per
// request is mostly (de)serialization. int64 counts and revisions are JavaScript numbers (below 2^53), lease ids bigints.

/** Reads one message. Throws RangeError on a truncated or malformed one. */
export class WireReader {
  private at: number;

  constructor(
    private readonly bytes: Buffer,
    start = 0,
    private readonly end = bytes.length,
  ) {
    this.at = start;
  }

  get done(): boolean {
    return this.at >= this.end;
  }

  /** Field number times 8 plus wire type. */
  tag(): number {
    return this.number();
  }

  /** A varint as int64; beyond 2^53 it is rounded. */
  number(): number {
    const first = this.byte();
    if (first < 0x80) return first;
    let low = first & 0x7f;
    let shift = 7;
    for (; shift < 28; shift += 7) {
      const byte = this.byte();
      low |= (byte & 0x7f) << shift;
      if (byte < 0x80) return low;
    }
    const [lowBits, highBits] = this.wide(low);
    return (highBits | 0) * 0x1_0000_0000 + lowBits;
  }

  /** A varint as int64, exact. */
  bigint(): bigint {
    const start = this.at;
    const first = this.byte();
    if (first < 0x80) return BigInt(first);
    this.at = start;
    let low = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.byte();
      low |= (byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt(low);
    }
    const [lowBits, highBits] = this.wide(low);
    return BigInt.asIntN(64, (BigInt(highBits >>> 0) << 32n) | BigInt(lowBits));
  }

  boolean(): boolean {
    return this.number() !== 0;
  }

  /** Bytes as a string with one character a byte. */
  key(): string {
    const [start, end] = this.span();
    return this.bytes.toString('latin1', start, end);
  }

  /** Bytes that share the message's memory. */
  buffer(): Buffer {
    const [start, end] = this.span();
    return this.bytes.subarray(start, end);
  }

  message(): WireReader {
    const [start, end] = this.span();
    return new WireReader(this.bytes, start, end);
  }

  skip(tag: number): void {
    const type = tag & 7;
    if (type === 0) this.bigint();
    else if (type === 1) this.advance(8);
    else if (type === 2) this.span();
    else if (type === 5) this.advance(4);
    else throw new RangeError(`wire type ${type} is unknown`);
  }

  private byte(): number {
    if (this.at >= this.end) throw new RangeError('the message is truncated');
    return this.bytes[this.at++]!;
  }

  /** The rest of a varint whose first 28 bits are known: low and high 32 bits. */
  private wide(low: number): [number, number] {
    const fifth = this.byte();
    const lowBits = (low | ((fifth & 0x0f) << 28)) >>> 0;
    let highBits = (fifth & 0x7f) >>> 4;
    if (fifth < 0x80) return [lowBits, highBits];
    for (let shift = 3; shift < 35; shift += 7) {
      const byte = this.byte();
      if (shift < 32) highBits |= (byte & 0x7f) << shift;
      if (byte < 0x80) return [lowBits, highBits];
    }
    throw new RangeError('a number is longer than 10 bytes');
  }

  private span(): [number, number] {
    const length = this.number();
    const start = this.at;
    this.advance(length);
    return [start, this.at];
  }

  private advance(length: number): void {
    if (length < 0 || this.at + length > this.end) throw new RangeError('the message is truncated');
    this.at += length;
  }
}

export function varintSize(value: number): number {
  if (value < 0) return 10;
  let size = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) size++;
  return size;
}

export function bigVarintSize(value: bigint): number {
  if (value < 0n) return 10;
  let size = 1;
  for (let rest = value; rest >= 0x80n; rest >>= 7n) size++;
  return size;
}

/** Size of a field with a tag below 16 and a varint; 0 for the default, which is not sent. */
export const numberFieldSize = (value: number) => (value === 0 ? 0 : 1 + varintSize(value));
/** Size of a length-delimited field with a tag below 16. */
export const bytesFieldSize = (length: number) => 1 + varintSize(length) + length;

/** Writes into a buffer of the exact size, computed beforehand. */
export class WireWriter {
  readonly bytes: Buffer;
  private at = 0;

  constructor(size: number) {
    this.bytes = Buffer.allocUnsafe(size);
  }

  varint(value: number): void {
    if (value < 0) {
      this.bigVarint(BigInt(value));
      return;
    }
    let rest = value;
    while (rest >= 0x8000_0000) {
      this.bytes[this.at++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    while (rest >= 0x80) {
      this.bytes[this.at++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.bytes[this.at++] = rest;
  }

  bigVarint(value: bigint): void {
    let rest = BigInt.asUintN(64, value);
    while (rest >= 0x80n) {
      this.bytes[this.at++] = Number(rest & 0x7fn) | 0x80;
      rest >>= 7n;
    }
    this.bytes[this.at++] = Number(rest);
  }

  /** A varint field; nothing for 0. */
  number(tag: number, value: number): void {
    if (value === 0) return;
    this.bytes[this.at++] = tag;
    this.varint(value);
  }

  /** Starts a length-delimited field. */
  open(tag: number, length: number): void {
    this.bytes[this.at++] = tag;
    this.varint(length);
  }

  key(tag: number, key: string): void {
    this.open(tag, key.length);
    this.at += this.bytes.write(key, this.at, 'latin1');
  }

  buffer(tag: number, value: Buffer): void {
    this.open(tag, value.length);
    this.raw(value);
  }

  raw(value: Buffer): void {
    this.at += value.copy(this.bytes, this.at);
  }
}
