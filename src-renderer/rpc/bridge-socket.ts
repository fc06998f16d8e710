// A WebSocket-shaped view of the Electron preload's bridge, so that the one tRPC link serves both shells. The bridge has
// no connection to lose: it opens in a task of its own, because tRPC
// listens for that only some microtasks after it made the socket, and closes only when asked to.

import type { PreloadBridge } from '../../src-main/contract';

export class BridgeSocket extends EventTarget {
  static readonly CONNECTING = 0;
  static readonly OPEN = 1;
  static readonly CLOSING = 2;
  static readonly CLOSED = 3;
  readonly CONNECTING = 0;
  readonly OPEN = 1;
  readonly CLOSING = 2;
  readonly CLOSED = 3;

  readyState: number = BridgeSocket.CONNECTING;
  private readonly stopListening: () => void;

  constructor(private readonly bridge: PreloadBridge) {
    super();
    this.stopListening = bridge.onMessage((message) => {
      if (this.readyState === BridgeSocket.OPEN) this.dispatchEvent(new MessageEvent('message', { data: message }));
    });
    setTimeout(() => {
      if (this.readyState !== BridgeSocket.CONNECTING) return;
      this.readyState = BridgeSocket.OPEN;
      this.dispatchEvent(new Event('open'));
    }, 0);
  }

  send(message: string): void {
    if (this.readyState === BridgeSocket.OPEN) this.bridge.send(message);
  }

  close(): void {
    if (this.readyState === BridgeSocket.CLOSED) return;
    this.readyState = BridgeSocket.CLOSED;
    this.stopListening();
    this.dispatchEvent(new Event('close'));
  }
}

/** A WebSocket class bound to `bridge`; the URL it is constructed with is ignored. */
export function bridgeSocketClass(bridge: PreloadBridge): typeof WebSocket {
  const Bound = class extends BridgeSocket {
    constructor() {
      super(bridge);
    }
  };
  return Bound as unknown as typeof WebSocket;
}
