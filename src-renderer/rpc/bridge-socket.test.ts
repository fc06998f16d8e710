import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { BridgeSocket } from './bridge-socket';

function fakeBridge() {
  const listeners = new Set<(message: string) => void>();
  const sent: string[] = [];
  return {
    sent,
    listeners,
    deliver: (message: string) => listeners.forEach((listener) => listener(message)),
    send: (message: string) => void sent.push(message),
    onMessage(listener: (message: string) => void) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}

describe('BridgeSocket', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('opens only after whoever made it had time to listen, some microtasks later', async () => {
    const socket = new BridgeSocket(fakeBridge());
    for (let turns = 0; turns < 10; turns++) await Promise.resolve();
    let opened = false;
    socket.addEventListener('open', () => (opened = true));
    vi.runAllTimers();
    expect(opened).toBe(true);
  });

  it('opens, carries messages both ways and stops listening when closed', () => {
    const bridge = fakeBridge();
    const socket = new BridgeSocket(bridge);
    const seen: string[] = [];
    socket.addEventListener('open', () => seen.push('open'));
    socket.addEventListener('message', (event) => seen.push((event as MessageEvent<string>).data));
    socket.addEventListener('close', () => seen.push('close'));
    vi.runAllTimers();
    socket.send('ping');
    bridge.deliver('pong');
    socket.close();
    socket.close();
    bridge.deliver('late');
    expect(bridge.sent).toEqual(['ping']);
    expect(seen).toEqual(['open', 'pong', 'close']);
    expect(bridge.listeners.size).toBe(0);
  });
});
