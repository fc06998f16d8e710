/// <reference types="vite/client" />
import type { PreloadBridge } from '../src-main/contract';

declare global {
  interface Window {
    /** Present in Electron only: the preload's transport. */
    pilothouse?: PreloadBridge;
  }
}
