// Keeps the node's rules as the Services are. Changes are gathered for a moment and written whole; an unchanged payload
// is not written again; rules that someone flushed come back within the resync period.

import type { EndpointSlice, Service } from '../../api';
import type { Informer } from '../../client';
import { type Clock, type Logger, messageOf, sleep } from '../../kit';
import { missingJumps, restore } from '../network/iptables';
import type { RunCommand } from '../process/command';
import { staleConnections } from './conntrack';
import { buildRules, proxyJumps } from './rules';
import { type ServicePortEntry, servicePorts } from './service-ports';

export interface ProxierOptions {
  services: Informer<Service>;
  slices: Informer<EndpointSlice>;
  nodeName: string;
  clusterCIDR: string;
  run: RunCommand;
  clock: Clock;
  logger: Logger;
  minSyncMs?: number;
  resyncMs?: number;
}

const chainsOf = (saved: string) => new Set([...saved.matchAll(/^:(KUBE-\S+)/gm)].map((match) => match[1]!));

export class Proxier {
  /** Milliseconds since the epoch of the last time the rules were known to be right; 0 = never. */
  syncedAt = 0;
  private written = '';
  private ports: ServicePortEntry[] = [];
  private dirty = true;
  private wake = () => {};
  private failures = 0;

  constructor(private readonly options: ProxierOptions) {}

  async run(signal: AbortSignal): Promise<void> {
    const { services, slices, logger, minSyncMs = 1000, resyncMs = 30_000 } = this.options;
    const poke = () => {
      this.dirty = true;
      this.wake();
    };
    const handler = { add: poke, update: poke, delete: poke };
    const removers = [services.addHandler(handler), slices.addHandler(handler)];
    try {
      await Promise.all([services.waitForSync(signal), slices.waitForSync(signal)]);
    } catch (error) {
      if (!signal.aborted) throw error;
    }
    while (!signal.aborted) {
      this.dirty = false;
      let waitMs = resyncMs;
      try {
        await this.sync();
        this.failures = 0;
      } catch (error) {
        this.failures += 1;
        waitMs = Math.min(resyncMs, 1000 * 2 ** Math.min(this.failures, 5));
        logger.warn('rules not written, trying again', { error, inMs: waitMs });
      }
      // Never sooner than the minimum interval: a rollout changes endpoints many times a second.
      await this.rest(minSyncMs, signal, false);
      if (!this.dirty) await this.rest(waitMs, signal, true);
    }
    for (const remove of removers) remove();
  }

  private async rest(ms: number, signal: AbortSignal, wakeable: boolean): Promise<void> {
    const woken = new AbortController();
    if (wakeable) this.wake = () => woken.abort();
    try {
      await sleep(ms, { clock: this.options.clock, signal: AbortSignal.any([signal, woken.signal]) });
    } catch (error) {
      this.options.logger.trace('woken', { reason: messageOf(error) });
    }
  }

  /** Writes what is missing. Throws when the kernel refuses. */
  async sync(): Promise<void> {
    const { services, slices, nodeName, clusterCIDR, run, clock, logger } = this.options;
    const ports = servicePorts(services.lister.list(), slices.lister.list(), nodeName);
    const saved = { nat: await this.saved('nat'), filter: await this.saved('filter') };
    const missing = await missingJumps(run, proxyJumps, saved);
    const wanted = buildRules({ ports, clusterCIDR, present: [] });
    const present = chainsOf(saved.nat);
    const intact =
      missing.length === 0 &&
      wanted.chains.every((chain) => present.has(chain)) &&
      chainsOf(saved.filter).has('KUBE-FORWARD');
    if (wanted.text !== this.written || !intact) {
      // One payload with the jumps in it: a jump that came before the others would carry connections whose way back is
      // not masqueraded yet, and the kernel goes on treating a connection as it treated its first packet.
      await restore(run, buildRules({ ports, clusterCIDR, present: [...present], missingJumps: missing }).text);
      this.written = wanted.text;
      logger.info('rules written', { servicePorts: ports.length, chains: wanted.chains.length });
    }
    for (const command of staleConnections(this.ports, ports)) await run(command, { allow: 'any' });
    this.ports = ports;
    this.syncedAt = clock.now();
  }

  private async saved(table: 'nat' | 'filter'): Promise<string> {
    return (await this.options.run(['iptables-save', '-t', table])).stdout;
  }
}
