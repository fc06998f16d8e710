// Routes to the Pods of other nodes through those nodes' own addresses (host gateway). Ours carry their own protocol
// number, so that what is stale can be told from what is someone else's.

import type { Node } from '../../api';

export const routeProtocol = '80';

export interface Route {
  cidr: string;
  via: string;
}

export interface RoutePlan {
  replace: Route[];
  remove: Route[];
}

export function internalIP(node: Node): string | undefined {
  return node.status?.addresses?.find((address) => address.type === 'InternalIP')?.address;
}

/** `present` are the routes of our protocol that the kernel has. */
export function planRoutes(nodes: readonly Node[], self: string, present: readonly Route[]): RoutePlan {
  const wanted = new Map<string, Route>();
  for (const node of nodes) {
    const cidr = node.spec?.podCIDR;
    const via = internalIP(node);
    if (node.metadata.name === self || !cidr || !via) continue;
    wanted.set(cidr, { cidr, via });
  }
  const replace = [...wanted.values()].filter(
    (route) => !present.some((entry) => entry.cidr === route.cidr && entry.via === route.via),
  );
  return { replace, remove: present.filter((route) => !wanted.has(route.cidr)) };
}

/** The answer of `ip -j route show proto 80`. */
export function parseRoutes(json: string): Route[] {
  const list = (json.trim() === '' ? [] : JSON.parse(json)) as { dst?: string; gateway?: string }[];
  return list.flatMap(({ dst, gateway }) => (dst && gateway ? [{ cidr: dst, via: gateway }] : []));
}
