// The scheduler: finds a node for every Pod that asks for one, binds it there, and says why when it cannot. One Pod is
// decided at a time; bindings are written in the background while the next decision already counts them.

import { formatTime, type Node, type Pod, type PodCondition, resources } from '../api';
import {
  ApiError,
  type Client,
  createInformer,
  EventRecorder,
  type Informer,
  nameOf,
  objectKey,
  referenceTo,
} from '../client';
import { type Clock, type Logger, messageOf, systemClock } from '../kit';
import { SchedulerCache } from './cache';
import { type ClusterEvent, decide, type Decision, type Framework, refusalMessage } from './framework';
import { type PodInfo, podInfo } from './pod-info';
import { defaultProfile } from './registry';
import { SchedulingQueue } from './scheduling-queue';

export interface StartSchedulerOptions {
  client: Client;
  logger: Logger;
  clock?: Clock;
  /** Chooses among equally good nodes; in [0, 1). */
  random?: () => number;
  signal: AbortSignal;
  profile?: Framework;
}

/** Why a Pod is where it is, or waits: the last decision about it. */
export interface Explanation extends Decision {
  /** Milliseconds since the epoch. */
  at: number;
  message?: string;
}

export interface Scheduler {
  stop(): Promise<void>;
  isIdle(): boolean;
  /** Verdicts of the last attempt for a Pod (`namespace/name`) that waits. */
  explain(podKey: string): Explanation | undefined;
  readonly queue: SchedulingQueue['counts'];
}

const schedulerName = 'default-scheduler';
const failedScheduling = 'FailedScheduling';
const scheduled = 'Scheduled';
const maxBindings = 64;
const podType = { apiVersion: 'v1', kind: 'Pod' };

/** Resolves when nodes and Pods are known and scheduling runs. Ends by `stop` or when the signal aborts. */
export async function startScheduler(options: StartSchedulerOptions): Promise<Scheduler> {
  const stopping = new AbortController();
  const signal = AbortSignal.any([options.signal, stopping.signal]);
  const scheduler = new DefaultScheduler(options);
  const ended = scheduler.run(signal);
  await scheduler.waitForSync(signal);
  options.logger.info('scheduler runs');
  return {
    isIdle: () => scheduler.isIdle(),
    explain: (key) => scheduler.explanations.get(key),
    get queue() {
      return scheduler.queue.counts;
    },
    async stop() {
      stopping.abort(new Error('the scheduler is stopped'));
      await ended;
    },
  };
}

class DefaultScheduler {
  readonly queue: SchedulingQueue;
  readonly explanations = new Map<string, Explanation>();
  private readonly cache = new SchedulerCache();
  private readonly client: Client;
  private readonly clock: Clock;
  private readonly logger: Logger;
  private readonly random: () => number;
  private readonly profile: Framework;
  private readonly events: EventRecorder;
  private readonly pods: Informer<Pod>;
  private readonly nodes: Informer<Node>;
  private readonly binding = new Set<Promise<void>>();
  /** What scheduling read of each waiting Pod when it was last queued. */
  private readonly lastSeen = new Map<string, string>();

  constructor(options: StartSchedulerOptions) {
    const { client, clock = systemClock } = options;
    this.client = client;
    this.clock = clock;
    this.logger = options.logger.child({ component: schedulerName });
    this.random = options.random ?? Math.random;
    this.profile = options.profile ?? defaultProfile;
    this.queue = new SchedulingQueue(clock);
    const shared = { client, clock, logger: this.logger };
    this.events = new EventRecorder({ ...shared, component: schedulerName });
    this.nodes = createInformer<Node>({ ...shared, resource: resources.nodes });
    this.pods = createInformer<Pod>({ ...shared, resource: resources.pods });
    this.nodes.addHandler({
      add: (node) => this.nodeChanged(node, 'node-added'),
      update: (old, node) => {
        if (differsForScheduling(old, node)) this.nodeChanged(node, 'node-changed');
      },
      delete: ({ metadata }) => this.cache.removeNode(metadata.name ?? ''),
    });
    this.pods.addHandler({
      add: (pod) => this.podChanged(pod),
      update: (_, pod) => this.podChanged(pod),
      delete: (pod) => this.podGone(pod),
    });
  }

  isIdle(): boolean {
    const { active, trying } = this.queue.counts;
    return active + trying + this.binding.size === 0;
  }

  async waitForSync(signal: AbortSignal): Promise<void> {
    await Promise.all([this.nodes.waitForSync(signal), this.pods.waitForSync(signal)]);
  }

  async run(signal: AbortSignal): Promise<void> {
    const informing = Promise.all([this.nodes.start(signal), this.pods.start(signal)]);
    signal.addEventListener('abort', () => this.queue.shutdown(), { once: true });
    try {
      await this.waitForSync(signal);
      for (let info = await this.queue.next(); info; info = await this.queue.next()) {
        this.scheduleOne(info);
        // Writes are slower than decisions: waiting here keeps their number bounded and lets the process breathe.
        if (this.binding.size >= maxBindings) await Promise.race(this.binding);
      }
    } catch (error) {
      if (!signal.aborted) throw error;
      this.logger.debug('stopped before the first sync', { error: messageOf(error) });
    }
    await Promise.all([informing, ...this.binding]);
    await this.events.flush();
  }

  private nodeChanged(node: Node, event: ClusterEvent): void {
    this.cache.setNode(node);
    this.queue.wake(event);
  }

  private podChanged(pod: Pod): void {
    const key = objectKey(pod);
    const finished = pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';
    if (pod.spec.nodeName) {
      this.cache.setPod(pod);
      this.explanations.delete(key);
      if (finished) this.queue.wake('pod-removed');
      return;
    }
    const ours = (pod.spec.schedulerName || schedulerName) === schedulerName;
    const gated = (pod.spec.schedulingGates?.length ?? 0) > 0;
    if (!ours || gated || finished || pod.metadata.deletionTimestamp) {
      this.queue.remove(key);
      this.explanations.delete(key);
      return;
    }
    if (this.cache.isAssumed(pod.metadata.uid ?? '')) return;
    // Our own condition comes back as a change; only a change of what scheduling reads is news.
    const known = this.explanations.get(key);
    if (known && this.lastSeen.get(key) === schedulingFacts(pod)) return;
    this.lastSeen.set(key, schedulingFacts(pod));
    this.queue.add(podInfo(pod));
  }

  private podGone(pod: Pod): void {
    const key = objectKey(pod);
    this.queue.remove(key);
    this.explanations.delete(key);
    this.lastSeen.delete(key);
    this.cache.removePod(pod.metadata.uid ?? '');
    if (pod.spec.nodeName) this.queue.wake('pod-removed');
  }

  private scheduleOne(info: PodInfo): void {
    const decision = decide(this.profile, info, this.cache.nodes(), this.random);
    this.explanations.set(info.key, { ...decision, at: this.clock.now() });
    const work = decision.node === undefined ? this.refuse(info, decision) : this.bind(info, decision.node);
    this.binding.add(work);
    void work.finally(() => this.binding.delete(work));
  }

  private async bind(info: PodInfo, node: string): Promise<void> {
    const { pod, key, uid } = info;
    const { namespace, name } = nameOf(pod);
    this.cache.assume(info, node);
    try {
      const target = { apiVersion: 'v1', kind: 'Node', name: node };
      const object = { apiVersion: 'v1', kind: 'Binding', metadata: { namespace, name, uid }, target };
      await this.client.create(resources.pods, object, { namespace, name, subresource: 'binding' });
      this.queue.done(key);
      this.lastSeen.delete(key);
      this.events.record(referenceTo(podType, pod), {
        type: 'Normal',
        reason: scheduled,
        message: `Successfully assigned ${key} to ${node}`,
      });
      this.logger.debug('pod bound', { pod: key, node });
    } catch (error) {
      this.cache.forget(uid);
      this.queue.wake('pod-removed');
      await this.bindingFailed(info, error);
    }
  }

  private async bindingFailed(info: PodInfo, error: unknown): Promise<void> {
    if (ApiError.is(error, 'NotFound')) {
      this.queue.remove(info.key);
      return;
    }
    const message = `binding rejected: ${messageOf(error)}`;
    this.logger.warn('binding failed, trying again', { pod: info.key, error: messageOf(error) });
    this.events.record(referenceTo(podType, info.pod), { type: 'Warning', reason: failedScheduling, message });
    this.queue.failed(info.key);
  }

  private async refuse(info: PodInfo, decision: Decision): Promise<void> {
    const { key, pod } = info;
    const message = refusalMessage(decision);
    this.explanations.set(key, { ...decision, at: this.clock.now(), message });
    this.queue.failed(key, this.wakingEvents(decision));
    this.logger.debug('no node fits', { pod: key, message });
    this.events.record(referenceTo(podType, pod), { type: 'Warning', reason: failedScheduling, message });
    try {
      await this.writeCondition(pod, message);
    } catch (error) {
      if (ApiError.is(error, 'NotFound') || ApiError.is(error, 'Conflict')) return;
      this.logger.warn('condition PodScheduled not written', { pod: key, error: messageOf(error) });
    }
  }

  private wakingEvents({ refusedBy }: Decision): Set<ClusterEvent> {
    const plugins = this.profile.filters.filter(({ name }) => refusedBy.has(name));
    return new Set<ClusterEvent>(['node-added', ...plugins.flatMap(({ wakesOn }) => wakesOn)]);
  }

  private async writeCondition(pod: Pod, message: string): Promise<void> {
    const current = this.pods.lister.get(objectKey(pod)) ?? pod;
    const old = current.status?.conditions ?? [];
    const before = old.find(({ type }) => type === 'PodScheduled');
    if (before?.status === 'False' && before.message === message) return;
    const changed = before?.status !== 'False';
    const condition: PodCondition = {
      type: 'PodScheduled',
      status: 'False',
      reason: 'Unschedulable',
      message,
      lastTransitionTime: changed ? formatTime(this.clock.now()) : before.lastTransitionTime,
    };
    const conditions = [...old.filter(({ type }) => type !== 'PodScheduled'), condition];
    const { uid, resourceVersion } = current.metadata;
    const body = { metadata: { uid, resourceVersion }, status: { conditions } };
    await this.client.patch(resources.pods, nameOf(pod), { type: 'merge', subresource: 'status', body });
  }
}

/** Heartbeats change a node every few seconds; only what filters read is worth waking Pods for. */
function differsForScheduling(old: Node, node: Node): boolean {
  const facts = ({ metadata, spec, status }: Node) =>
    JSON.stringify([metadata.labels, spec?.taints, spec?.unschedulable, status?.allocatable]);
  return facts(old) !== facts(node);
}

function schedulingFacts({ metadata, spec }: Pod): string {
  return JSON.stringify([metadata.uid, metadata.labels, spec]);
}
