// The layer-2 switch between the machines of one cluster. QEMU listens on a UNIX socket per machine, the switch dials and
// redials it, so either side may restart at any time. Invariants: a frame never returns to the port it came from; a unicast
// frame to a learned address reaches only that port; what was learned on a port is forgotten when the port closes.

import { connect } from 'node:net';
import type { Duplex } from 'node:stream';
import { type Clock, type Disposable, type Logger, systemClock } from '../../kit';
import { type PortCounters, SwitchPort } from './switch-port';

export interface NetworkSwitchOptions {
  logger: Logger;
  clock?: Clock;
  /** Opens the byte stream to a machine; a UNIX socket unless a test says otherwise. */
  dial?: (path: string) => Duplex;
}

interface Learned {
  port: SwitchPort;
  seenAt: number;
}

interface Dialled {
  path: string;
  port?: SwitchPort;
  stream?: Duplex;
  counters: PortCounters[];
  cancelRetry: () => void;
}

const learningLifetimeMs = 300_000;
const learningLimit = 16_384;
const redialMs = 250;
const ethernetHeaderLength = 14;
const nothing = () => {};

export class NetworkSwitch implements Disposable {
  private readonly dialled = new Map<string, Dialled>();
  private readonly learned = new Map<number, Learned>();
  private readonly clock: Clock;

  constructor(private readonly options: NetworkSwitchOptions) {
    this.clock = options.clock ?? systemClock;
  }

  /** Keeps a port connected to the machine's socket until `detach`. Attaching the same name and path again is no change. */
  attach(name: string, path: string): void {
    if (this.dialled.get(name)?.path === path) return;
    this.detach(name);
    const entry: Dialled = { path, counters: [], cancelRetry: nothing };
    this.dialled.set(name, entry);
    this.dial(name, entry);
  }

  detach(name: string): void {
    const entry = this.dialled.get(name);
    if (!entry) return;
    this.dialled.delete(name);
    entry.cancelRetry();
    entry.port?.close();
    entry.stream?.destroy();
  }

  /** Whether the machine's NIC is connected, and what passed since it was attached, over all reconnections. */
  statistics(): { name: string; connected: boolean; counters: PortCounters }[] {
    return [...this.dialled].map(([name, entry]) => ({
      name,
      connected: entry.port !== undefined,
      counters: entry.counters.reduce(
        (sum, counters) => ({
          receivedFrames: sum.receivedFrames + counters.receivedFrames,
          receivedBytes: sum.receivedBytes + counters.receivedBytes,
          sentFrames: sum.sentFrames + counters.sentFrames,
          sentBytes: sum.sentBytes + counters.sentBytes,
          droppedFrames: sum.droppedFrames + counters.droppedFrames,
        }),
        { receivedFrames: 0, receivedBytes: 0, sentFrames: 0, sentBytes: 0, droppedFrames: 0 },
      ),
    }));
  }

  dispose(): void {
    for (const name of this.dialled.keys()) this.detach(name);
  }

  private dial(name: string, entry: Dialled): void {
    if (this.dialled.get(name) !== entry) return;
    const stream = (this.options.dial ?? ((path) => connect({ path })))(entry.path);
    entry.stream = stream;
    stream.once('connect', () => this.connected(name, entry, stream));
    stream.once('error', () => stream.destroy());
    stream.once('close', () => {
      entry.cancelRetry = this.clock.after(redialMs, () => this.dial(name, entry));
      if (this.dialled.get(name) !== entry) entry.cancelRetry();
    });
  }

  private connected(name: string, entry: Dialled, stream: Duplex): void {
    const port: SwitchPort = new SwitchPort({
      name,
      stream,
      onFrame: (frame) => this.forward(port, frame),
      onClose: () => this.closed(entry, port),
    });
    entry.port = port;
    // Totals of ended connections are folded into one entry so that a flapping port cannot grow the list.
    const previous = entry.counters;
    entry.counters = [...previous.slice(-1), port.counters];
    const oldest = previous.length > 1 ? previous[0] : undefined;
    if (oldest) for (const key of Object.keys(oldest) as (keyof PortCounters)[]) entry.counters[0]![key] += oldest[key];
    this.options.logger.debug('switch port connected', { machine: name });
  }

  private closed(entry: Dialled, port: SwitchPort): void {
    if (entry.port === port) entry.port = undefined;
    for (const [address, learned] of this.learned) if (learned.port === port) this.learned.delete(address);
    this.options.logger.debug('switch port closed', { machine: port.name, ...port.counters });
  }

  private forward(from: SwitchPort, frame: Buffer): void {
    if (frame.length < ethernetHeaderLength) return;
    const now = this.clock.now();
    const isGroup = (offset: number) => (frame[offset]! & 1) === 1;
    const source = frame.readUIntBE(6, 6);
    if (!isGroup(6)) {
      // A guest inventing addresses cannot fill the memory of the host: the table starts over.
      if (this.learned.size >= learningLimit && !this.learned.has(source)) this.learned.clear();
      this.learned.set(source, { port: from, seenAt: now });
    }
    const target = isGroup(0) ? undefined : this.learned.get(frame.readUIntBE(0, 6));
    if (target && now - target.seenAt <= learningLifetimeMs) {
      if (target.port !== from) target.port.send(frame);
      return;
    }
    for (const { port } of this.dialled.values()) if (port && port !== from) port.send(frame);
  }
}
