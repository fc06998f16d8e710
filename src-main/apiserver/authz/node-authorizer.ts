// What a node's own credential may do: read what its Pods may need, and write only itself, its Lease and its status.
// Which Pods and Secrets are its own is for the node-restriction work later; here the node's name limits the writes.

import type { Authorizer, ResourceAttributes } from './authorizer';
import { matchesRule, nodeRules } from './rules';

export const nodeUserPrefix = 'system:node:';

/** The node's name when the user is a node, else undefined. */
export function nodeNameOf(user: { name: string; groups: readonly string[] }): string | undefined {
  if (!user.groups.includes('system:nodes') || !user.name.startsWith(nodeUserPrefix)) return undefined;
  return user.name.slice(nodeUserPrefix.length) || undefined;
}

const writeVerbs = new Set(['update', 'patch', 'delete']);

function ownsByName(node: string, attributes: ResourceAttributes): boolean {
  const { group, resource, subresource, namespace, name, verb } = attributes;
  if (group === '' && resource === 'nodes') {
    return name === node && (subresource === '' || subresource === 'status') && writeVerbs.has(verb);
  }
  if (group === 'coordination.k8s.io' && resource === 'leases' && namespace === 'kube-node-lease') {
    return verb === 'create' || (name === node && (writeVerbs.has(verb) || verb === 'get'));
  }
  if (group === 'storage.k8s.io' && resource === 'csinodes') {
    return verb === 'create' || verb === 'get' || (name === node && writeVerbs.has(verb));
  }
  return false;
}

export const nodeAuthorizer: Authorizer = {
  allowsResource(attributes) {
    const node = nodeNameOf(attributes.user);
    if (node === undefined) return false;
    return ownsByName(node, attributes) || matchesRule(nodeRules, attributes);
  },
  allowsPath: () => false,
};
