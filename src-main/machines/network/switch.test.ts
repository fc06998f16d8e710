import { Duplex } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { type Clock, silentLogger } from '../../kit';
import { NetworkSwitch } from './switch';

/** The machine's end of a port: what QEMU would hold. */
class Wire extends Duplex {
  readonly frames: string[] = [];
  private pending = Buffer.alloc(0);

  override _read(): void {
    // Frames are pushed by the test.
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.pending = Buffer.concat([this.pending, chunk]);
    while (this.pending.length >= 4 && this.pending.length >= 4 + this.pending.readUInt32BE(0)) {
      const length = this.pending.readUInt32BE(0);
      this.frames.push(this.pending.subarray(18, 4 + length).toString());
      this.pending = this.pending.subarray(4 + length);
    }
    done();
  }
}

function frame(target: number, source: number, text: string): Buffer {
  const body = Buffer.alloc(14 + text.length);
  body.writeUIntBE(target, 0, 6);
  body.writeUIntBE(source, 6, 6);
  body.write(text, 14);
  const header = Buffer.alloc(4);
  header.writeUInt32BE(body.length);
  return Buffer.concat([header, body]);
}

class ManualClock implements Clock {
  time = 0;
  private readonly waiting: { at: number; callback: () => void }[] = [];
  now = () => this.time;
  after = (ms: number, callback: () => void) => {
    const item = { at: this.time + ms, callback };
    this.waiting.push(item);
    return () => void this.waiting.splice(this.waiting.indexOf(item), 1);
  };
  advance(ms: number): void {
    this.time += ms;
    for (const item of this.waiting.filter(({ at }) => at <= this.time)) {
      this.waiting.splice(this.waiting.indexOf(item), 1);
      item.callback();
    }
  }
}

const broadcast = 0xff_ff_ff_ff_ff_ff;
const settle = () => new Promise<void>((resolve) => setImmediate(resolve));

function build(names: string[]) {
  const wires = new Map<string, Wire>();
  const clock = new ManualClock();
  const network = new NetworkSwitch({
    logger: silentLogger,
    clock,
    dial: (path) => {
      const wire = new Wire();
      wires.set(path, wire);
      queueMicrotask(() => wire.emit('connect'));
      return wire;
    },
  });
  for (const name of names) network.attach(name, name);
  return { network, clock, wire: (name: string) => wires.get(name)! };
}

describe('NetworkSwitch', () => {
  it('floods what it has not learned and then sends to one port only', async () => {
    const { wire } = build(['a', 'b', 'c']);
    await settle();
    wire('a').push(frame(broadcast, 0x0a, 'who'));
    await settle();
    expect([wire('a').frames, wire('b').frames, wire('c').frames]).toEqual([[], ['who'], ['who']]);
    wire('b').push(frame(0x0a, 0x0b, 'me'));
    wire('a').push(frame(0x0b, 0x0a, 'data'));
    await settle();
    expect([wire('a').frames, wire('b').frames, wire('c').frames]).toEqual([['me'], ['who', 'data'], ['who']]);
  });

  it('joins frames split over chunks', async () => {
    const { wire } = build(['a', 'b']);
    await settle();
    const bytes = Buffer.concat([frame(broadcast, 1, 'one'), frame(broadcast, 1, 'two')]);
    for (const byte of bytes) wire('a').push(Buffer.from([byte]));
    await settle();
    await settle();
    expect(wire('b').frames).toEqual(['one', 'two']);
  });

  it('closes a port whose framing was lost and dials it again, forgetting what it learned there', async () => {
    const { wire, clock, network } = build(['a', 'b', 'c']);
    await settle();
    wire('a').push(frame(broadcast, 0x0a, 'hello'));
    await settle();
    const first = wire('a');
    first.push(Buffer.from([0xff, 0xff, 0xff, 0xff]));
    await settle();
    expect(network.statistics().find(({ name }) => name === 'a')?.connected).toBe(false);
    clock.advance(250);
    await settle();
    expect(wire('a')).not.toBe(first);
    wire('b').push(frame(0x0a, 0x0b, 'flooded'));
    await settle();
    expect(wire('a').frames).toEqual(['flooded']);
    expect(wire('c').frames).toContain('flooded');
    expect(network.statistics().find(({ name }) => name === 'a')?.counters.receivedFrames).toBe(1);
  });

  it('relearns an address that moved and forgets one that was silent for long', async () => {
    const { wire, clock } = build(['a', 'b', 'c']);
    await settle();
    wire('a').push(frame(broadcast, 0x0a, '1'));
    await settle();
    wire('c').push(frame(broadcast, 0x0a, '2'));
    await settle();
    wire('b').push(frame(0x0a, 0x0b, '3'));
    await settle();
    expect(wire('a').frames).toEqual(['2']);
    expect(wire('c').frames).toEqual(['1', '3']);
    clock.advance(300_001);
    wire('b').push(frame(0x0a, 0x0b, '4'));
    await settle();
    expect(wire('a').frames).toEqual(['2', '4']);
  });

  it('stops redialling when detached', async () => {
    const { wire, clock, network } = build(['a']);
    await settle();
    const first = wire('a');
    network.dispose();
    await settle();
    clock.advance(10_000);
    await settle();
    expect(wire('a')).toBe(first);
    expect(network.statistics()).toEqual([]);
  });
});
