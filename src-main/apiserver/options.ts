// What an API server is given and what it answers with.

import type { Client } from '../client';
import type { Clock, Logger } from '../kit';
import type { Store } from '../store';
import type { StaticToken } from './authn/authenticator';
import type { NodeDialer } from './tunnel/node-dialer';

export interface ServerCertificates {
  /** PEM, as all of these. Client certificates are verified against it, and kubelets are. */
  ca: string;
  serverCert: string;
  serverKey: string;
  /** What the server shows to kubelets. */
  kubeletClientCert: string;
  kubeletClientKey: string;
  /** Signs ServiceAccount tokens. */
  serviceAccountKey: string;
}

export interface ApiServerOptions {
  store: Store;
  /** Port 0 picks a free one. */
  listen: { host: string; port: number };
  certificates: ServerCertificates;
  /** CIDR of Service addresses. */
  networks: { service: string };
  /** Inclusive; default 30000–32767. */
  nodePorts?: { from: number; to: number };
  /** Where the `kubernetes` Service points to; port default: the one listened on. */
  advertise: { address: string; port?: number };
  tokens?: StaticToken[];
  logger: Logger;
  clock?: Clock;
}

export interface ApiServer {
  readonly port: number;
  /** A client in this process: the same pipeline, without HTTP. */
  client(user: { name: string; groups: string[] }): Client;
  readonly dialer: NodeDialer;
  /** Ends watches, lets requests finish for a moment and closes. The store stays open. */
  stop(): Promise<void>;
}
