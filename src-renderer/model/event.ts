// Events, newest first, whichever of their several time fields the writer filled.

import type { Event as KubeEvent, KubeObject } from '../../src-main/api';

/** RFC 3339 time at which it last happened, or undefined. */
export function eventTime(event: KubeEvent): string | undefined {
  return (
    event.series?.lastObservedTime ??
    event.lastTimestamp ??
    event.eventTime ??
    event.firstTimestamp ??
    event.metadata.creationTimestamp
  );
}

export function eventCount(event: KubeEvent): number {
  return event.series?.count ?? event.count ?? 1;
}

export function newestFirst(events: readonly KubeEvent[]): KubeEvent[] {
  return [...events].sort((a, b) => (eventTime(b) ?? '').localeCompare(eventTime(a) ?? ''));
}

/** Events about this very object (by uid; by name where the writer gave no uid, as kubelets do for nodes). */
export function eventsOf(events: readonly KubeEvent[], object: KubeObject, kind: string): KubeEvent[] {
  const { name, namespace, uid } = object.metadata;
  return newestFirst(
    events.filter(({ involvedObject: about }) => {
      if (about.uid && about.uid === uid) return true;
      const sameName = about.kind === kind && about.name === name;
      return sameName && (kind === 'Node' || (!about.uid && about.namespace === namespace));
    }),
  );
}
