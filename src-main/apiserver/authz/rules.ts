// Allow-rules as data: what the system's own components may do, after upstream's bootstrap roles.

import { authenticatedGroup } from '../authn/user';
import type { Authorizer, PathAttributes, ResourceAttributes } from './authorizer';

interface Rule {
  verbs: readonly string[];
  groups: readonly string[];
  /** `pods`, `pods/status`, or `*` for all of them. */
  resources: readonly string[];
  /** Only in these namespaces. */
  namespaces?: readonly string[];
}

const read = ['get', 'list', 'watch'];
const write = ['create', 'update', 'patch', 'delete', 'deletecollection'];
const all = [...read, ...write];
const everyGroup = ['*'];

const eventRules: Rule[] = [
  { verbs: ['create', 'patch', 'update'], groups: ['', 'events.k8s.io'], resources: ['events'] },
];
const leaderRules: Rule[] = [
  { verbs: ['get', 'create', 'update', 'patch'], groups: ['coordination.k8s.io'], resources: ['leases'] },
];

const proxyRules: Rule[] = [
  { verbs: read, groups: [''], resources: ['nodes', 'services', 'endpoints', 'namespaces'] },
  { verbs: read, groups: ['discovery.k8s.io'], resources: ['endpointslices'] },
  { verbs: read, groups: ['networking.k8s.io'], resources: ['servicecidrs'] },
  ...eventRules,
];

// The garbage collector and the namespace controller must reach every kind, so the controllers may do all to objects.
const controllerRules: Rule[] = [{ verbs: all, groups: everyGroup, resources: ['*'] }];

const schedulerRules: Rule[] = [
  { verbs: read, groups: [''], resources: ['*'] },
  {
    verbs: read,
    groups: ['apps', 'policy', 'storage.k8s.io', 'resource.k8s.io', 'scheduling.k8s.io'],
    resources: ['*'],
  },
  { verbs: ['create'], groups: [''], resources: ['pods/binding', 'bindings'] },
  { verbs: ['patch', 'update'], groups: [''], resources: ['pods/status'] },
  { verbs: ['delete'], groups: [''], resources: ['pods'] },
  { verbs: ['patch', 'update'], groups: [''], resources: ['persistentvolumeclaims', 'persistentvolumes'] },
  ...eventRules,
  ...leaderRules,
];

/** What every node may do whatever the object; what hangs on the node's name is in `node-authorizer`. */
export const nodeRules: Rule[] = [
  { verbs: read, groups: [''], resources: ['services', 'endpoints', 'nodes', 'namespaces', 'pods'] },
  { verbs: ['get', 'list', 'watch'], groups: [''], resources: ['configmaps', 'secrets', 'serviceaccounts'] },
  { verbs: read, groups: [''], resources: ['persistentvolumeclaims', 'persistentvolumes'] },
  { verbs: read, groups: ['discovery.k8s.io'], resources: ['endpointslices'] },
  { verbs: read, groups: ['node.k8s.io'], resources: ['runtimeclasses'] },
  { verbs: read, groups: ['storage.k8s.io'], resources: ['csidrivers', 'volumeattachments'] },
  { verbs: ['create', 'delete', 'patch', 'update'], groups: [''], resources: ['pods', 'pods/status'] },
  { verbs: ['create'], groups: [''], resources: ['pods/eviction', 'nodes', 'serviceaccounts/token'] },
  {
    verbs: ['create', 'get', 'list', 'watch'],
    groups: ['certificates.k8s.io'],
    resources: ['certificatesigningrequests'],
  },
  { verbs: ['create'], groups: ['authentication.k8s.io'], resources: ['tokenreviews'] },
  { verbs: ['create'], groups: ['authorization.k8s.io'], resources: ['subjectaccessreviews'] },
  ...eventRules,
];

const userRules: Readonly<Record<string, readonly Rule[]>> = {
  'system:kube-proxy': proxyRules,
  'system:kube-controller-manager': controllerRules,
  'system:kube-scheduler': schedulerRules,
};

/** Everyone who is authenticated may ask what they themselves may do. */
const authenticatedRules: Rule[] = [
  {
    verbs: ['create'],
    groups: ['authorization.k8s.io'],
    resources: ['selfsubjectaccessreviews', 'selfsubjectrulesreviews'],
  },
  { verbs: ['create'], groups: ['authentication.k8s.io'], resources: ['selfsubjectreviews'] },
];

export function matchesRule(rules: readonly Rule[], attributes: ResourceAttributes): boolean {
  const { verb, group, resource, subresource, namespace } = attributes;
  const what = subresource ? `${resource}/${subresource}` : resource;
  return rules.some(
    (rule) =>
      rule.verbs.includes(verb) &&
      (rule.groups.includes(group) || rule.groups.includes('*')) &&
      (rule.resources.includes('*') || rule.resources.includes(what)) &&
      (!rule.namespaces || rule.namespaces.includes(namespace)),
  );
}

const publicPaths = new Set(['/healthz', '/livez', '/readyz', '/version', '/version/']);
const discoveryPrefixes = ['/api', '/apis', '/openapi'];

function isPublicPath(path: string): boolean {
  return publicPaths.has(path) || path.startsWith('/livez/') || path.startsWith('/readyz/');
}

function isDiscoveryPath(path: string): boolean {
  return discoveryPrefixes.some((prefix) => path === prefix || path.startsWith(`${prefix}/`));
}

/** system:masters may do everything. */
export const mastersAuthorizer: Authorizer = {
  allowsResource: ({ user }) => user.groups.includes('system:masters'),
  allowsPath: ({ user }) => user.groups.includes('system:masters'),
};

/** The components' tables, what everyone may ask, discovery for the authenticated, health for all. */
export const builtInRulesAuthorizer: Authorizer = {
  allowsResource(attributes) {
    const rules = userRules[attributes.user.name];
    if (rules && matchesRule(rules, attributes)) return true;
    return attributes.user.groups.includes(authenticatedGroup) && matchesRule(authenticatedRules, attributes);
  },
  allowsPath({ user, verb, path }: PathAttributes) {
    if (verb !== 'get' && verb !== 'head') return false;
    return isPublicPath(path) || (user.groups.includes(authenticatedGroup) && isDiscoveryPath(path));
  },
};
