// The table of subresources: by kind where one is special, by the kind's own declaration for status and scale.

import type { Kind } from '../../api';
import { bindingSubresource } from './binding';
import { evictionSubresource } from './eviction';
import { finalizeSubresource } from './finalize';
import { scaleSubresource } from './scale';
import { statusSubresource } from './status';
import type { Subresource } from './subresource';

/** Those that answer objects. Streaming ones (log) are served by HTTP handlers of their own. */
const byResource: Readonly<Record<string, Readonly<Record<string, Subresource>>>> = {
  '/pods': { binding: bindingSubresource, eviction: evictionSubresource },
  '/namespaces': { finalize: finalizeSubresource },
};

/** Streams: what discovery says of them. */
export const streamSubresources: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  '/pods': { log: ['get'] },
};

export function subresourceOf(kind: Kind, name: string): Subresource | undefined {
  if (name === 'status') return kind.status ? statusSubresource : undefined;
  if (name === 'scale') return kind.scale ? scaleSubresource : undefined;
  const special = byResource[`${kind.group}/${kind.plural}`];
  return special && Object.hasOwn(special, name) ? special[name] : undefined;
}

/** All object subresources of a kind, for discovery and OpenAPI. */
export function subresourcesOf(kind: Kind): { name: string; subresource: Subresource }[] {
  const names = ['status', 'scale', ...Object.keys(byResource[`${kind.group}/${kind.plural}`] ?? {})].sort();
  return names.flatMap((name) => {
    const subresource = subresourceOf(kind, name);
    return subresource ? [{ name, subresource }] : [];
  });
}

export * from './subresource';
