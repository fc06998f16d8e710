// Stands in for all kubelets of a cluster: Pods that are bound become Running and Ready, Pods that are marked for
// deletion go. `hold` keeps Pods from becoming ready, to see what waits for them.

import { formatTime, resources, type Pod } from '../api';
import { type Client, nameOf } from '../client';
import { type Clock, messageOf } from '../kit';

export interface FakeKubeletOptions {
  client: Client;
  clock: Clock;
  signal: AbortSignal;
  /** Binds Pods by itself, for tests without a scheduler. */
  nodeOf?(pod: Pod): string;
  hold?(pod: Pod): boolean;
}

/** Runs until the signal aborts; failures that are not about a Pod gone meanwhile end in `failures`. */
export function runFakeKubelet(options: FakeKubeletOptions): { ended: Promise<void>; failures: string[] } {
  const failures: string[] = [];
  const run = async () => {
    for await (const { type, object } of options.client.watch<Pod>(resources.pods, { signal: options.signal })) {
      if (type !== 'ADDED' && type !== 'MODIFIED') continue;
      try {
        await drive(object, options);
      } catch (error) {
        failures.push(messageOf(error));
      }
    }
  };
  return { ended: run(), failures };
}

let lastAddress = 0;

async function drive(pod: Pod, options: FakeKubeletOptions): Promise<void> {
  const { client, nodeOf, hold, clock } = options;
  const name = nameOf(pod);
  if (pod.metadata.deletionTimestamp) {
    if (pod.spec.nodeName) await client.delete(resources.pods, name, { gracePeriodSeconds: 0 });
    return;
  }
  if (!pod.spec.nodeName) {
    if (!nodeOf) return;
    const target = { apiVersion: 'v1', kind: 'Node', name: nodeOf(pod) };
    const binding = { apiVersion: 'v1', kind: 'Binding', metadata: name, target };
    await client.create(resources.pods, binding, { ...name, subresource: 'binding' });
    return;
  }
  if (pod.status?.phase === 'Running' || hold?.(pod)) return;
  const ip = `10.244.${lastAddress++ >> 8}.${lastAddress & 255}`;
  const now = formatTime(clock.now());
  const status = {
    ...pod.status,
    phase: 'Running',
    podIP: ip,
    podIPs: [{ ip }],
    startTime: now,
    conditions: [
      ...(pod.status?.conditions ?? []).filter(({ type }) => type !== 'Ready'),
      { type: 'Ready', status: 'True', lastTransitionTime: now },
    ],
  };
  await client.patch(resources.pods, name, { type: 'merge', subresource: 'status', body: { status } });
}
