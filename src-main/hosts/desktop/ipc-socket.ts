// Electron IPC in the shape of a server's WebSocket, so that tRPC's WebSocket handler serves both transports: one
// socket for one page of one window. Invariant: after `close` nothing is sent and nothing is heard.

import { EventEmitter } from 'node:events';

const open = 1;
const closed = 3;

export class IpcSocket extends EventEmitter {
  readyState: number = open;

  constructor(private readonly deliver: (message: string) => void) {
    super();
  }

  /** To the page. */
  send(message: string): void {
    if (this.readyState === open) this.deliver(message);
  }

  /** From the page. */
  receive(message: string): void {
    if (this.readyState === open) this.emit('message', Buffer.from(message), false);
  }

  close(): void {
    if (this.readyState === closed) return;
    this.readyState = closed;
    this.emit('close');
  }

  terminate(): void {
    this.close();
  }
}
