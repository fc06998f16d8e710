// The identity of a Pod template: whether two are the same, and the hash that names the ReplicaSet made from one. Pure.

import { jsonEqual, type PodTemplateSpec } from '../../api';

export const hashLabel = 'pod-template-hash';

/** Letters and digits that make no words and are not mistaken for one another (apimachinery util/rand). */
const safeAlphabet = 'bcdfghjklmnpqrstvwxz2456789';

/** Equal but for the hash label that the controller itself adds. */
export function sameTemplate(a: PodTemplateSpec, b: PodTemplateSpec): boolean {
  return jsonEqual(normalize(a), normalize(b));
}

/** Stable for equal templates whatever the order of their fields; `collisions` makes another one. */
export function templateHash(template: PodTemplateSpec, collisions = 0): string {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(`${canonical(normalize(template))}#${collisions}`)) {
    hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  }
  return [...String(hash)].map((digit) => safeAlphabet[digit.charCodeAt(0) % safeAlphabet.length]).join('');
}

function normalize(template: PodTemplateSpec): unknown {
  const labels = { ...template.metadata?.labels };
  delete labels[hashLabel];
  return withoutEmpty({ ...template, metadata: { ...template.metadata, labels } });
}

/** Null, absent and empty members say the same thing at the top of a template's metadata. */
function withoutEmpty(template: PodTemplateSpec): unknown {
  const metadata = Object.entries(template.metadata ?? {}).filter(
    ([, value]) => value !== null && value !== undefined && Object.keys(value).length > 0,
  );
  return { metadata: Object.fromEntries(metadata), spec: template.spec };
}

function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const members = Object.entries(value as Record<string, unknown>)
    .filter(([, member]) => member !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${canonical(member)}`).join(',')}}`;
}
