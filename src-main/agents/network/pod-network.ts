// Makes this node part of the Pod network and keeps it so: a Docker network over the node's own Pod CIDR, forwarding,
// masquerading, and a route to every other node's Pods. Level-triggered; every turn is safe to run again.

import type { Node } from '../../api';
import type { Informer } from '../../client';
import { type Clock, type Logger, messageOf, sleep } from '../../kit';
import type { RunCommand } from '../process/command';
import { ensureJump, restore } from './iptables';
import { podNetworkJumps, podNetworkRules } from './pod-network-rules';
import { parseRoutes, planRoutes, routeProtocol } from './routes';

/** The engine's part: networks that containers join. */
export interface EngineNetworks {
  network(name: string): Promise<{ subnet: string; containers: number } | undefined>;
  createNetwork(
    name: string,
    options: { subnet: string; gateway: string; device: string; mtu?: number },
  ): Promise<void>;
  removeNetwork(name: string): Promise<void>;
}

export interface PodNetworkOptions {
  nodeName: string;
  /** The whole Pod network. */
  cidr: string;
  device: string;
  mtu?: number;
  nodes: Informer<Node>;
  engine: EngineNetworks;
  run: RunCommand;
  clock: Clock;
  logger: Logger;
  /** Readiness or the reason against it changed. */
  onChange(): void;
}

export const podNetworkName = 'pilothouse';
const resyncMs = 30_000;
const retryMs = 2000;
const sysctls = [
  'net.ipv4.ip_forward=1',
  // A redirect would teach a Pod to reach a Service address without the node, where nothing answers.
  'net.ipv4.conf.all.send_redirects=0',
  'net.ipv4.conf.default.send_redirects=0',
  'net.bridge.bridge-nf-call-iptables=1',
  'net.bridge.bridge-nf-call-ip6tables=1',
];

/** The first host address of a subnet: the bridge's own. */
export function gatewayOf(cidr: string): string {
  const [address = '', bits = '24'] = cidr.split('/');
  const number = address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
  const base = Math.floor(number / 2 ** (32 - Number(bits))) * 2 ** (32 - Number(bits)) + 1;
  return [24, 16, 8, 0].map((shift) => Math.floor(base / 2 ** shift) % 256).join('.');
}

export class PodNetwork {
  /** undefined = ready. */
  problem: string | undefined = 'network is not ready: container runtime network not ready: node has no Pod CIDR yet';
  private wake = () => {};
  private dirty = true;
  private sysctlsDone = false;

  constructor(private readonly options: PodNetworkOptions) {}

  get name(): string | undefined {
    return this.problem === undefined ? podNetworkName : undefined;
  }

  async run(signal: AbortSignal): Promise<void> {
    const { nodes, clock, logger } = this.options;
    const poke = () => {
      this.dirty = true;
      this.wake();
    };
    const remove = nodes.addHandler({
      add: poke,
      delete: poke,
      update: (old, node) => {
        const same = old.spec?.podCIDR === node.spec?.podCIDR;
        const addresses = (entry: Node) => JSON.stringify(entry.status?.addresses);
        if (!same || addresses(old) !== addresses(node)) poke();
      },
    });
    while (!signal.aborted) {
      this.dirty = false;
      const waitMs = (await this.turn()) ? resyncMs : retryMs;
      if (this.dirty) continue;
      const woken = new AbortController();
      this.wake = () => woken.abort();
      try {
        await sleep(waitMs, { clock, signal: AbortSignal.any([signal, woken.signal]) });
      } catch (error) {
        logger.trace('woken', { reason: messageOf(error) });
      }
    }
    remove();
  }

  /** Lets a Pod reach itself through its own Service: its packets come back in on the port they left by. */
  async enableHairpin(): Promise<void> {
    const { run, device } = this.options;
    const { stdout } = await run(['ip', '-d', '-j', 'link', 'show', 'master', device]);
    const links = JSON.parse(stdout || '[]') as {
      ifname: string;
      linkinfo?: { info_slave_data?: { hairpin?: boolean } };
    }[];
    for (const { ifname, linkinfo } of links) {
      if (linkinfo?.info_slave_data?.hairpin) continue;
      await run(['ip', 'link', 'set', 'dev', ifname, 'type', 'bridge_slave', 'hairpin', 'on'], { allow: [0, 1, 2] });
    }
  }

  private async turn(): Promise<boolean> {
    const { logger } = this.options;
    try {
      const problem = await this.setUp();
      this.conclude(problem);
      return problem === undefined;
    } catch (error) {
      logger.warn('pod network not set up, trying again', { error });
      this.conclude(`network is not ready: container runtime network not ready: ${messageOf(error)}`);
      return false;
    }
  }

  private conclude(problem: string | undefined): void {
    const before = this.problem;
    this.problem = problem;
    if (before === problem) return;
    this.options.logger.info(problem === undefined ? 'pod network ready' : 'pod network not ready', { problem });
    this.options.onChange();
  }

  private async setUp(): Promise<string | undefined> {
    const { nodes, nodeName, run, cidr } = this.options;
    const podCIDR = nodes.lister.get(nodeName)?.spec?.podCIDR;
    if (!podCIDR) return 'network is not ready: container runtime network not ready: node has no Pod CIDR yet';
    if (!this.sysctlsDone) {
      for (const setting of sysctls) await run(['sysctl', '-q', '-w', setting], { allow: 'any' });
      this.sysctlsDone = true;
    }
    const problem = await this.ensureEngineNetwork(podCIDR);
    if (problem) return problem;
    await run(['sysctl', '-q', '-w', `net.ipv4.conf.${this.options.device}.send_redirects=0`], { allow: 'any' });
    await restore(run, podNetworkRules(cidr));
    for (const jump of podNetworkJumps) await ensureJump(run, jump);
    await this.ensureRoutes();
    return undefined;
  }

  private async ensureEngineNetwork(podCIDR: string): Promise<string | undefined> {
    const { engine, device, mtu, logger } = this.options;
    const present = await engine.network(podNetworkName);
    if (present?.subnet === podCIDR) return undefined;
    if (present && present.containers > 0) {
      return `network is not ready: the node's Pod CIDR became ${podCIDR} while Pods still use ${present.subnet}`;
    }
    if (present) await engine.removeNetwork(podNetworkName);
    await engine.createNetwork(podNetworkName, { subnet: podCIDR, gateway: gatewayOf(podCIDR), device, mtu });
    logger.info('pod network created', { cidr: podCIDR, device });
    return undefined;
  }

  private async ensureRoutes(): Promise<void> {
    const { run, nodes, nodeName, logger } = this.options;
    const shown = await run(['ip', '-j', 'route', 'show', 'proto', routeProtocol]);
    const plan = planRoutes(nodes.lister.list(), nodeName, parseRoutes(shown.stdout));
    for (const { cidr, via } of plan.remove) {
      await run(['ip', 'route', 'del', cidr, 'proto', routeProtocol], { allow: [0, 2] });
      logger.info('route removed', { cidr, via });
    }
    for (const { cidr, via } of plan.replace) {
      const done = await run(['ip', 'route', 'replace', cidr, 'via', via, 'proto', routeProtocol], {
        allow: [0, 1, 2],
      });
      if (done.code === 0) logger.info('route set', { cidr, via });
      // One node with an address out of reach must not take this node's own network down.
      else logger.warn('route refused', { cidr, via, stderr: done.stderr.trim() });
    }
  }
}
