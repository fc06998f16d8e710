// Names of the built-in resources for callers that hold a typed client: `client.get(resources.pods, …)`.

export interface ResourceName {
  group: string;
  version: string;
  plural: string;
  namespaced: boolean;
}

const core = (plural: string, namespaced = true): ResourceName => ({ group: '', version: 'v1', plural, namespaced });
const named = (group: string, plural: string, namespaced = true): ResourceName => ({
  group,
  version: 'v1',
  plural,
  namespaced,
});

export const resources = {
  namespaces: core('namespaces', false),
  nodes: core('nodes', false),
  pods: core('pods'),
  services: core('services'),
  endpoints: core('endpoints'),
  configmaps: core('configmaps'),
  secrets: core('secrets'),
  events: core('events'),
  serviceaccounts: core('serviceaccounts'),
  persistentvolumes: core('persistentvolumes', false),
  persistentvolumeclaims: core('persistentvolumeclaims'),
  limitranges: core('limitranges'),
  resourcequotas: core('resourcequotas'),
  replicationcontrollers: core('replicationcontrollers'),
  deployments: named('apps', 'deployments'),
  replicasets: named('apps', 'replicasets'),
  statefulsets: named('apps', 'statefulsets'),
  daemonsets: named('apps', 'daemonsets'),
  jobs: named('batch', 'jobs'),
  cronjobs: named('batch', 'cronjobs'),
  endpointslices: named('discovery.k8s.io', 'endpointslices'),
  leases: named('coordination.k8s.io', 'leases'),
  roles: named('rbac.authorization.k8s.io', 'roles'),
  rolebindings: named('rbac.authorization.k8s.io', 'rolebindings'),
  clusterroles: named('rbac.authorization.k8s.io', 'clusterroles', false),
  clusterrolebindings: named('rbac.authorization.k8s.io', 'clusterrolebindings', false),
} as const satisfies Record<string, ResourceName>;
