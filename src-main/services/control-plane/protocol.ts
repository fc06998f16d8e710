// What a host and its control plane processes say to each other: one message with everything it needs in, one "ready"
// out. The child has no other source of configuration.

import type { LogFields } from '../../kit';

export interface ControlPlaneConfig {
  cluster: string;
  storeDirectory: string;
  /** An etcd to use instead of a store of our own in `storeDirectory`. Files are PEM. */
  etcd?: { endpoints: string[]; caFile?: string; certFile?: string; keyFile?: string; keyPrefix: string };
  lockPath: string;
  logFile: string;
  logLevel: string;
  listen: { host: string; port: number };
  /** Where nodes reach it. */
  advertise: { address: string; port: number };
  networks: { pod: string; service: string };
  /** PEM. */
  certificates: {
    ca: string;
    serverCert: string;
    serverKey: string;
    kubeletClientCert: string;
    kubeletClientKey: string;
    serviceAccountKey: string;
  };
}

export type ToControlPlane = { type: 'start'; config: ControlPlaneConfig } | { type: 'stop' };

export type FromControlPlane =
  | { type: 'ready'; port: number }
  /** It could not start and exits. `retryable`: the same may work a little later (port or store still held). */
  | { type: 'failed'; code: string; message: string; hint?: string; retryable: boolean; details?: LogFields };

/** A started process, whoever started it: `child_process.fork` or Electron's utilityProcess. */
export interface ControlPlaneProcess {
  readonly pid: number | undefined;
  send(message: ToControlPlane): void;
  onMessage(listener: (message: FromControlPlane) => void): void;
  /** Called once, also when the process could not be started at all. */
  onExit(listener: (how: string) => void): void;
  kill(signal: 'SIGTERM' | 'SIGKILL'): void;
}

export interface LaunchRequest {
  cluster: string;
  /** Receives standard output and error: the last words of a crash. */
  outputFile: string;
}

export type LaunchControlPlane = (request: LaunchRequest) => ControlPlaneProcess;
