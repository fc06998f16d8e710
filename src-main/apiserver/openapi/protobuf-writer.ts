// The little of protobuf's wire format that is written here: varints and length-delimited fields.

export class ProtobufWriter {
  private readonly parts: Buffer[] = [];
  private size = 0;

  /** An embedded message, written even when empty. */
  message(field: number, body: ProtobufWriter): this {
    this.lengthDelimited(field, body.finish());
    return this;
  }

  /** A string; left out when absent or empty, as proto3 has it. */
  text(field: number, value: string | undefined): this {
    if (value) this.lengthDelimited(field, Buffer.from(value, 'utf8'));
    return this;
  }

  texts(field: number, values: readonly string[] | undefined): this {
    for (const value of values ?? []) this.lengthDelimited(field, Buffer.from(value, 'utf8'));
    return this;
  }

  flag(field: number, value: boolean | undefined): this {
    if (value) {
      this.varint(field * 8);
      this.varint(1);
    }
    return this;
  }

  finish(): Buffer {
    return Buffer.concat(this.parts, this.size);
  }

  private lengthDelimited(field: number, bytes: Buffer): void {
    this.varint(field * 8 + 2);
    this.varint(bytes.length);
    this.append(bytes);
  }

  private varint(value: number): void {
    const bytes: number[] = [];
    let rest = value;
    while (rest >= 0x80) {
      bytes.push((rest % 0x80) | 0x80);
      rest = Math.floor(rest / 0x80);
    }
    bytes.push(rest);
    this.append(Buffer.from(bytes));
  }

  private append(bytes: Buffer): void {
    this.parts.push(bytes);
    this.size += bytes.length;
  }
}
