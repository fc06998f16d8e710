// The one thing a page of ours is given: a way to exchange text with the host. No Node, no Electron, no channel names.

import { contextBridge, type IpcRendererEvent, ipcRenderer } from 'electron';
import type { PreloadBridge } from '../../contract/transport';
import { ipcChannel } from '../../contract/transport';

const bridge: PreloadBridge = {
  send: (message) => ipcRenderer.send(ipcChannel, message),
  onMessage(listener) {
    const receive = (_event: IpcRendererEvent, message: string) => listener(message);
    ipcRenderer.on(ipcChannel, receive);
    // Nothing of Electron may be returned into the page.
    return () => {
      ipcRenderer.removeListener(ipcChannel, receive);
    };
  },
};

contextBridge.exposeInMainWorld('pilothouse', bridge);
