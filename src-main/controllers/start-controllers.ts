// Starts the controller manager: every registered controller on one set of informers.

import { type Client } from '../client';
import { type Clock, type Logger, systemClock } from '../kit';
import { type ControllerDeclaration, runControllers, type ServedKind } from './engine';
import { builtInKinds } from './kinds';
import { controllers } from './registry';

export interface StartControllersOptions {
  client: Client;
  /** e.g. 10.244.0.0/16: every node gets a /24 of it. */
  podNetwork: string;
  /** PEM of the cluster's CA, published in every namespace as ConfigMap kube-root-ca.crt. */
  rootCertificate?: string;
  logger: Logger;
  clock?: Clock;
  signal: AbortSignal;
  /** Kinds the API server serves; default: the built-in ones. */
  kinds?: readonly ServedKind[];
  /** Which controllers; default: all. */
  controllers?: readonly ControllerDeclaration[];
}

export interface Controllers {
  /** Stops all workers and watches and waits for what is under way. */
  stop(): Promise<void>;
  /** Whether no controller has work that is ready or under way. */
  isIdle(): boolean;
}

/** Resolves when every controller has seen the cluster once and works. Ends by `stop` or when the signal aborts. */
export async function startControllers(options: StartControllersOptions): Promise<Controllers> {
  const { client, logger, clock = systemClock, podNetwork, rootCertificate, kinds = builtInKinds } = options;
  const stopping = new AbortController();
  const signal = AbortSignal.any([options.signal, stopping.signal]);
  const settings = { podNetwork, rootCertificate, kinds };
  const running = await runControllers(options.controllers ?? controllers, { client, logger, clock, settings, signal });
  logger.info('controllers run');
  return {
    isIdle: () => running.isIdle(),
    async stop() {
      stopping.abort(new Error('controllers are stopped'));
      await running.ended;
    },
  };
}
