// Cluster addresses and node ports of Services. What is taken is read off the stored Services themselves (the cache), so
// it is right after any restart; what a write under way wants is reserved until the cache shows it. Everything here is
// synchronous, so two writes cannot take the same number.

import { fieldError, type FieldError, type KubeObject, type Service, type ServiceSpec } from '../../api';
import type { Allocator, Reservation } from '../registry/kind-registry';
import { internalError, invalid } from '../status/errors';
import type { CacheEvent, WatchCache } from '../watch-cache/watch-cache';
import { type IpRange, ipToNumber, isUsable, numberToIp, parseIpRange } from './ip-range';
import { NumberPool } from './number-pool';

const serviceKind = { group: '', kind: 'Service' };
const allocatedTypes = new Set(['ClusterIP', 'NodePort', 'LoadBalancer']);
const nodePortTypes = new Set(['NodePort', 'LoadBalancer']);

export interface ServiceAllocatorOptions {
  network: string;
  nodePorts: { from: number; to: number };
}

export class ServiceAllocator implements Allocator {
  private readonly range: IpRange;
  private readonly addresses: NumberPool;
  private readonly ports: NumberPool;
  private readonly nodePorts: { from: number; to: number };
  private prefix = '';
  private stop = (): void => {};

  constructor(options: ServiceAllocatorOptions) {
    this.range = parseIpRange(options.network);
    this.nodePorts = options.nodePorts;
    this.addresses = new NumberPool({ from: this.range.first + 1, to: this.range.first + this.range.size - 2 });
    this.ports = new NumberPool(options.nodePorts);
  }

  /** The address of the `kubernetes` Service. */
  get firstAddress(): string {
    return numberToIp(this.range.first + 1);
  }

  /** Takes what the cache holds and follows it. */
  follow(cache: WatchCache): void {
    this.stop();
    this.addresses.clear();
    this.ports.clear();
    // The first address is the API server's own, whether its Service is there yet or not.
    this.addresses.hold(this.range.first + 1, `${cache.prefix}default/kubernetes`);
    for (const entry of cache.list({ prefix: cache.prefix })) this.count(entry.object, entry.key, 'hold');
    this.stop = cache.listen({
      onEvent: (event: CacheEvent) => {
        if (event.previous) this.count(event.previous.object, event.entry.key, 'drop');
        if (event.type !== 'DELETED') this.count(event.entry.object, event.entry.key, 'hold');
      },
      onReset: () => this.follow(cache),
    });
    this.prefix = cache.prefix;
  }

  reserve(draft: KubeObject, old: KubeObject | undefined): Reservation | undefined {
    const service = draft as Service;
    const before = old as Service | undefined;
    const holder = `${this.prefix}${service.metadata.namespace}/${service.metadata.name}`;
    const undo: (() => void)[] = [];
    const release = () => {
      for (const step of undo.splice(0)) step();
    };
    try {
      this.reserveAddress(service, before, { holder, undo });
      this.reservePorts(service, before, { holder, undo });
    } catch (error) {
      release();
      throw error;
    }
    return { commit: release, release };
  }

  private reserveAddress(
    service: Service,
    before: Service | undefined,
    write: { holder: string; undo: (() => void)[] },
  ): void {
    const { spec } = service;
    if (!allocatedTypes.has(spec.type ?? 'ClusterIP')) {
      clearAddress(spec);
      return;
    }
    const kept = before && allocatedTypes.has(before.spec.type ?? 'ClusterIP') ? before.spec.clusterIP : undefined;
    if (kept && !spec.clusterIP) spec.clusterIP = kept;
    if (!spec.clusterIP && spec.clusterIPs?.[0]) spec.clusterIP = spec.clusterIPs[0];
    if (spec.clusterIP !== 'None' && (!spec.clusterIP || spec.clusterIP !== kept)) this.takeAddress(service, write);
    fillFamilies(spec);
  }

  private takeAddress(service: Service, { holder, undo }: { holder: string; undo: (() => void)[] }): void {
    const { spec } = service;
    const { addresses, range } = this;
    if (!spec.clusterIP) {
      const picked = addresses.pick();
      if (picked === undefined) throw internalError('failed to allocate a serviceIP: range is full');
      undo.push(() => addresses.unreserve(picked));
      spec.clusterIP = numberToIp(picked);
      return;
    }
    const value = ipToNumber(spec.clusterIP);
    const refuse = (why: string) => {
      const detail = `failed to allocate IP ${spec.clusterIP}: ${why}`;
      throw invalid(serviceKind, service.metadata.name!, [
        fieldError.invalid('spec.clusterIPs', [spec.clusterIP], detail),
      ]);
    };
    if (value === undefined || !isUsable(range, value)) {
      refuse(`the provided IP (${spec.clusterIP}) is not in the valid range. The range of valid IPs is ${range.cidr}`);
    } else if (!addresses.isFree(value, holder)) refuse('provided IP is already allocated');
    else {
      addresses.reserve(value);
      undo.push(() => addresses.unreserve(value));
    }
  }

  private reservePorts(
    service: Service,
    before: Service | undefined,
    write: { holder: string; undo: (() => void)[] },
  ): void {
    const { spec } = service;
    const wants = nodePortTypes.has(spec.type ?? '') && spec.allocateLoadBalancerNodePorts !== false;
    if (!wants) {
      if (!nodePortTypes.has(spec.type ?? '')) for (const port of spec.ports ?? []) delete port.nodePort;
      return;
    }
    const errors: FieldError[] = [];
    const taken = new Map<number, string>();
    for (const [index, port] of (spec.ports ?? []).entries()) {
      if (!port.nodePort) port.nodePort = keptNodePort(port, before);
      if (!port.nodePort) continue;
      // One number may serve two protocols of the same Service.
      const known = taken.get(port.nodePort);
      taken.set(port.nodePort, port.protocol ?? 'TCP');
      if (known !== undefined && known !== (port.protocol ?? 'TCP')) continue;
      const problem = this.portProblem(port.nodePort, write.holder, known !== undefined);
      if (problem) errors.push(fieldError.invalid(`spec.ports[${index}].nodePort`, port.nodePort, problem));
      else this.reservePort(port.nodePort, write);
    }
    if (errors.length > 0) throw invalid(serviceKind, service.metadata.name!, errors);
    for (const port of spec.ports ?? []) {
      if (port.nodePort) continue;
      const picked = this.ports.pick();
      if (picked === undefined) throw internalError('failed to allocate a nodePort: range is full');
      write.undo.push(() => this.ports.unreserve(picked));
      port.nodePort = picked;
    }
  }

  private reservePort(value: number, { undo }: { undo: (() => void)[] }): void {
    this.ports.reserve(value);
    undo.push(() => this.ports.unreserve(value));
  }

  private portProblem(value: number, holder: string, repeated: boolean): string | undefined {
    const { from, to } = this.nodePorts;
    if (!this.ports.contains(value)) {
      return `provided port is not in the valid range. The range of valid ports is ${from}-${to}`;
    }
    return repeated || !this.ports.isFree(value, holder) ? 'provided port is already allocated' : undefined;
  }

  private count(object: KubeObject, holder: string, action: 'hold' | 'drop'): void {
    const { spec } = object as Service;
    const address = spec.clusterIP ? ipToNumber(spec.clusterIP) : undefined;
    if (address !== undefined) this.addresses[action](address, holder);
    for (const port of spec.ports ?? []) if (port.nodePort) this.ports[action](port.nodePort, holder);
  }
}

function keptNodePort(port: { port: number; protocol?: string }, before: Service | undefined): number | undefined {
  const same = before?.spec.ports?.find(
    (other) => other.port === port.port && (other.protocol ?? 'TCP') === (port.protocol ?? 'TCP'),
  );
  return same?.nodePort;
}

function clearAddress(spec: ServiceSpec): void {
  for (const field of ['clusterIP', 'clusterIPs', 'ipFamilies', 'ipFamilyPolicy', 'internalTrafficPolicy'] as const) {
    delete spec[field];
  }
}

/** The dual fields as a single-stack cluster has them. */
function fillFamilies(spec: ServiceSpec): void {
  spec.clusterIPs = [spec.clusterIP!];
  spec.ipFamilies ??= ['IPv4'];
  spec.ipFamilyPolicy ??= 'SingleStack';
  spec.internalTrafficPolicy ??= 'Cluster';
}
