// Values of a Pod's own fields and of a container's resources, for env (fieldRef, resourceFieldRef) and volumes.

import type { Container, Pod } from '../../../api';
import { PilothouseError } from '../../../kit';
import { quantityValue } from './quantity';

export interface DownwardFacts {
  podIP: string;
  podIPs: string[];
  hostIP: string;
  nodeName: string;
  /** Used when a container states no limit. */
  allocatable: Record<string, string>;
}

function unsupported(what: string): PilothouseError {
  return new PilothouseError({ code: 'DOWNWARD_UNSUPPORTED', message: `unsupported fieldPath: ${what}` });
}

/** Labels or annotations as `key="value"` lines, sorted by key. */
function asLines(entries: Record<string, string> = {}): string {
  return Object.keys(entries)
    .sort()
    .map((key) => `${key}=${JSON.stringify(entries[key])}`)
    .join('\n');
}

export function fieldValue(pod: Pod, path: string, facts: DownwardFacts): string {
  const subscript = /^metadata\.(labels|annotations)\['(.+)'\]$/.exec(path);
  if (subscript) return pod.metadata[subscript[1] as 'labels' | 'annotations']?.[subscript[2]!] ?? '';
  switch (path) {
    case 'metadata.name':
      return pod.metadata.name ?? '';
    case 'metadata.namespace':
      return pod.metadata.namespace ?? '';
    case 'metadata.uid':
      return pod.metadata.uid ?? '';
    case 'metadata.labels':
      return asLines(pod.metadata.labels);
    case 'metadata.annotations':
      return asLines(pod.metadata.annotations);
    case 'spec.nodeName':
      return facts.nodeName;
    case 'spec.serviceAccountName':
      return pod.spec.serviceAccountName ?? '';
    case 'status.hostIP':
    case 'status.hostIPs':
      return facts.hostIP;
    case 'status.podIP':
      return facts.podIP;
    case 'status.podIPs':
      return facts.podIPs.join(',');
    default:
      throw unsupported(path);
  }
}

/** `limits.cpu` divided by the divisor, rounded up, as the API documents it. */
export function resourceValue(
  container: Container,
  selector: { resource: string; divisor?: string },
  facts: Pick<DownwardFacts, 'allocatable'>,
): string {
  const match = /^(limits|requests)\.(.+)$/.exec(selector.resource);
  if (!match) throw unsupported(selector.resource);
  const [, kind, name] = match;
  const stated = container.resources?.[kind as 'limits' | 'requests']?.[name!];
  const fallback = kind === 'limits' ? facts.allocatable[name!] : container.resources?.limits?.[name!];
  const value = quantityValue(stated ?? fallback) ?? 0;
  const divisor = quantityValue(selector.divisor);
  return String(Math.ceil(Number((value / (divisor || 1)).toFixed(6))));
}
