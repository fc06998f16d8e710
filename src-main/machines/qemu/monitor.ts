// A small client of QEMU's monitor protocol (QMP): JSON lines over a UNIX socket, commands answered by id, events between.

import { connect, type Socket } from 'node:net';
import { type Disposable, PilothouseError, withDeadline } from '../../kit';

interface Reply {
  id?: number;
  return?: unknown;
  error?: { class: string; desc: string };
  event?: string;
  data?: Record<string, unknown>;
}

export interface MonitorListener {
  onEvent(event: string, data: Record<string, unknown>): void;
  onClose(): void;
}

const commandDeadlineMs = 10_000;

/** The monitor of one running QEMU. Only one client is served at a time, so it is kept for as long as QEMU runs. */
export class QemuMonitor implements Disposable {
  private readonly waiting = new Map<number, { resolve(value: unknown): void; reject(error: unknown): void }>();
  private nextId = 1;
  private rest = '';
  private closed = false;
  private disposed = false;

  private constructor(
    private readonly socket: Socket,
    private readonly listener: MonitorListener,
  ) {
    socket.setEncoding('utf8');
    socket.on('data', (text: string) => this.receive(text));
    socket.on('error', () => this.end());
    socket.on('close', () => this.end());
  }

  /** Connects and negotiates. Fails with the socket's own error while QEMU does not listen yet. */
  static async open(path: string, listener: MonitorListener, deadlineMs = 5000): Promise<QemuMonitor> {
    const socket = connect({ path });
    let monitor: QemuMonitor | undefined;
    try {
      return await withDeadline({ ms: deadlineMs, what: `QEMU's monitor at ${path}` }, async () => {
        await new Promise<void>((resolve, reject) => {
          socket.once('connect', resolve);
          socket.once('error', reject);
        });
        monitor = new QemuMonitor(socket, listener);
        await monitor.execute('qmp_capabilities');
        return monitor;
      });
    } catch (error) {
      if (monitor) monitor.dispose();
      else socket.destroy();
      throw error;
    }
  }

  async execute(command: string, argument?: Record<string, unknown>): Promise<unknown> {
    if (this.closed) throw closedError(command);
    const id = this.nextId++;
    return withDeadline({ ms: commandDeadlineMs, what: `QEMU monitor command ${command}` }, (signal) => {
      signal.addEventListener('abort', () => this.waiting.delete(id), { once: true });
      return new Promise((resolve, reject) => {
        this.waiting.set(id, { resolve, reject });
        this.socket.write(`${JSON.stringify({ execute: command, arguments: argument, id })}\n`);
      });
    });
  }

  dispose(): void {
    this.disposed = true;
    this.socket.destroy();
  }

  private receive(text: string): void {
    const lines = (this.rest + text).split('\n');
    this.rest = lines.pop() ?? '';
    for (const line of lines) if (line.trim()) this.handle(JSON.parse(line) as Reply);
  }

  private handle(reply: Reply): void {
    if (reply.event) return this.listener.onEvent(reply.event, reply.data ?? {});
    if (reply.id === undefined) return;
    const waiting = this.waiting.get(reply.id);
    this.waiting.delete(reply.id);
    if (!reply.error) return waiting?.resolve(reply.return);
    waiting?.reject(
      new PilothouseError({ code: 'QEMU_MONITOR', message: reply.error.desc, details: { class: reply.error.class } }),
    );
  }

  private end(): void {
    if (this.closed) return;
    this.closed = true;
    for (const { reject } of this.waiting.values()) reject(closedError('a command'));
    this.waiting.clear();
    if (!this.disposed) this.listener.onClose();
  }
}

function closedError(command: string): PilothouseError {
  return new PilothouseError({
    code: 'QEMU_GONE',
    message: `QEMU ended before it answered ${command}`,
    retryable: true,
  });
}
