// How the window reaches the host. Both transports carry the same tRPC WebSocket messages, as text:
// - browser shell and CLI: a WebSocket at `/rpc?token=TOKEN` of the headless host;
// - Electron: the preload exposes this bridge as `window.pilothouse`, and nothing else.

export interface PreloadBridge {
  send(message: string): void;
  /** The returned function stops listening. */
  onMessage(listener: (message: string) => void): () => void;
}

/** Path of the headless host's WebSocket. */
export const rpcPath = '/rpc';
/** Electron IPC channel in both directions. */
export const ipcChannel = 'pilothouse:rpc';
/** Query parameter of the URL that opens the browser shell, and of the WebSocket. */
export const tokenParameter = 'token';

/** `~/.pilothouse/host.json`: how the CLI finds the running host. */
export interface HostFile {
  pid: number;
  /** http://127.0.0.1:7777 */
  url: string;
  token: string;
  version: string;
}
