// Which Services a change of a Pod concerns: those that select it, or selected it before.

import { labelMapMatcher, resources, type Pod, type Service } from '../../api';
import { objectKey } from '../../client';
import { mapped, primary, type Watch } from '../engine';

export const serviceWatches: readonly Watch[] = [
  primary(resources.services),
  mapped<Pod>(resources.pods, ({ object, old }, { informers }) => {
    if (old && !changesEndpoints(old, object)) return [];
    const services = informers.lister<Service>(resources.services).list(object.metadata.namespace);
    return services
      .filter(({ spec }) => {
        const matches = labelMapMatcher(spec.selector);
        return matches(object.metadata.labels) || (old !== undefined && matches(old.metadata.labels));
      })
      .map(objectKey);
  }),
];

/** Heartbeat-like status writes must not recompute every Service. */
function changesEndpoints(old: Pod, pod: Pod): boolean {
  const facts = ({ metadata, spec, status }: Pod) =>
    JSON.stringify([
      metadata.labels,
      metadata.deletionTimestamp !== undefined,
      spec.nodeName,
      status?.phase,
      status?.podIP,
      status?.conditions?.find(({ type }) => type === 'Ready')?.status,
    ]);
  return facts(old) !== facts(pod);
}
