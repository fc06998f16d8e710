// Objects for the suite over every kind: one valid object of each, and changes that make them invalid, with upstream's
// complete messages.

import type { KubeObject } from './meta';

const metadata = { name: 'demo', namespace: 'default', creationTimestamp: '2026-01-01T00:00:00Z', uid: 'u-1' };
const clusterMetadata = { name: 'demo', creationTimestamp: '2026-01-01T00:00:00Z', uid: 'u-1' };
const labels = { app: 'demo' };
const podSpec = {
  containers: [
    {
      name: 'main',
      image: 'busybox',
      ports: [{ name: 'http', containerPort: 8080 }],
      env: [
        { name: 'PLAIN', value: '1' },
        { name: 'IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
      ],
      resources: { requests: { cpu: '100m' }, limits: { cpu: '1', memory: '64Mi' } },
      readinessProbe: { httpGet: { port: 'http' } },
      volumeMounts: [{ name: 'config', mountPath: '/etc/demo' }],
    },
  ],
  initContainers: [{ name: 'prepare', image: 'busybox:1.36' }],
  volumes: [{ name: 'config', configMap: { name: 'demo' } }, { name: 'scratch' }],
};
const template = { metadata: { labels }, spec: podSpec };
const selector = { matchLabels: labels };
const onceTemplate = { spec: { ...podSpec, restartPolicy: 'Never' } };
const rules = [{ verbs: ['get'], apiGroups: [''], resources: ['pods'] }];
const subjects = [
  { kind: 'User', name: 'ada' },
  { kind: 'ServiceAccount', name: 'default', namespace: 'default' },
];

type Content = Record<string, unknown>;

function objectOf(apiVersion: string, kind: string, content: Content, clusterScoped = false): [string, KubeObject] {
  const object: KubeObject & Content = {
    apiVersion,
    kind,
    metadata: clusterScoped ? clusterMetadata : metadata,
    ...content,
  };
  return [kind, object];
}

/** A valid object of each kind, as a user would write it. */
export const validObjects: Readonly<Record<string, KubeObject>> = Object.fromEntries([
  objectOf('v1', 'ConfigMap', { data: { key: 'value' } }),
  objectOf('v1', 'Secret', { stringData: { token: 'grüß' }, data: { other: 'QQ==' } }),
  objectOf('v1', 'Event', {
    involvedObject: { kind: 'Pod', name: 'demo', namespace: 'default' },
    reason: 'Started',
    type: 'Normal',
    message: 'started',
  }),
  objectOf('v1', 'Namespace', {}, true),
  objectOf(
    'v1',
    'Node',
    { spec: { taints: [{ key: 'a', effect: 'NoSchedule' }] }, status: { capacity: { cpu: '2' } } },
    true,
  ),
  objectOf('v1', 'Pod', { spec: podSpec }),
  objectOf('v1', 'Service', { spec: { selector: labels, ports: [{ port: 80 }] } }),
  objectOf('v1', 'ServiceAccount', {}),
  objectOf('v1', 'Endpoints', { subsets: [{ addresses: [{ ip: '10.244.0.2' }], ports: [{ port: 8080 }] }] }),
  objectOf('v1', 'ReplicationController', { spec: { template } }),
  objectOf('v1', 'LimitRange', { spec: { limits: [{ type: 'Container', max: { cpu: '1' } }] } }),
  objectOf('v1', 'ResourceQuota', { spec: { hard: { pods: '10' } } }),
  objectOf('v1', 'PersistentVolumeClaim', {
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
  }),
  objectOf(
    'v1',
    'PersistentVolume',
    { spec: { accessModes: ['ReadWriteOnce'], capacity: { storage: '1Gi' }, hostPath: { path: '/data' } } },
    true,
  ),
  objectOf('apps/v1', 'Deployment', { spec: { replicas: 3, selector, template } }),
  objectOf('apps/v1', 'ReplicaSet', { spec: { selector, template } }),
  objectOf('apps/v1', 'StatefulSet', { spec: { serviceName: 'demo', selector, template } }),
  objectOf('apps/v1', 'DaemonSet', { spec: { selector, template } }),
  objectOf('batch/v1', 'Job', { spec: { template: onceTemplate } }),
  objectOf('batch/v1', 'CronJob', {
    spec: { schedule: '*/5 * * * *', jobTemplate: { spec: { template: onceTemplate } } },
  }),
  objectOf('coordination.k8s.io/v1', 'Lease', { spec: { holderIdentity: 'me', leaseDurationSeconds: 40 } }),
  objectOf('discovery.k8s.io/v1', 'EndpointSlice', {
    addressType: 'IPv4',
    endpoints: [{ addresses: ['10.244.0.2'] }],
    ports: [{ port: 8080 }],
  }),
  objectOf('rbac.authorization.k8s.io/v1', 'Role', { rules }),
  objectOf('rbac.authorization.k8s.io/v1', 'ClusterRole', { rules }, true),
  objectOf('rbac.authorization.k8s.io/v1', 'RoleBinding', { subjects, roleRef: { kind: 'Role', name: 'demo' } }),
  objectOf(
    'rbac.authorization.k8s.io/v1',
    'ClusterRoleBinding',
    { subjects, roleRef: { kind: 'ClusterRole', name: 'demo' } },
    true,
  ),
]);

export interface InvalidObject {
  kind: string;
  title: string;
  /** Path in the fixture and the value to put there (undefined: remove). */
  path: (string | number)[];
  value: unknown;
  errors: string[];
}

function invalid(kind: string, title: string, at: [path: string, value: unknown], ...errors: string[]): InvalidObject {
  const path = at[0].split('.').map((part) => (/^\d+$/.test(part) ? Number(part) : part));
  return { kind, title, path, value: at[1], errors };
}

const main = 'spec.containers.0';
const mainPath = 'spec.containers[0]';

export const invalidObjects: readonly InvalidObject[] = [
  invalid('Pod', 'no containers', ['spec.containers', []], 'spec.containers: Required value'),
  invalid('Pod', 'no image', [`${main}.image`, ''], `${mainPath}.image: Required value`),
  invalid(
    'Pod',
    'upper-case container name',
    [`${main}.name`, 'Main'],
    `${mainPath}.name: Invalid value: "Main": a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')`,
  ),
  invalid(
    'Pod',
    'unknown pull policy',
    [`${main}.imagePullPolicy`, 'Sometimes'],
    `${mainPath}.imagePullPolicy: Unsupported value: "Sometimes": supported values: "Always", "IfNotPresent", "Never"`,
  ),
  invalid(
    'Pod',
    'port out of range',
    [`${main}.ports.0.containerPort`, 70_000],
    `${mainPath}.ports[0].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive`,
  ),
  invalid(
    'Pod',
    'request over limit',
    [`${main}.resources.requests.cpu`, '2'],
    `${mainPath}.resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1`,
  ),
  invalid(
    'Pod',
    'mount of an unknown volume',
    [`${main}.volumeMounts.0.name`, 'nowhere'],
    `${mainPath}.volumeMounts[0].name: Not found: "nowhere"`,
  ),
  invalid(
    'Pod',
    'probe without a handler',
    [`${main}.readinessProbe`, {}],
    `${mainPath}.readinessProbe: Required value: must specify a handler type`,
  ),
  invalid(
    'Pod',
    'same name twice',
    ['spec.initContainers.0.name', 'main'],
    'spec.initContainers[0].name: Duplicate value: "main"',
  ),
  invalid(
    'Pod',
    'unknown restart policy',
    ['spec.restartPolicy', 'Maybe'],
    'spec.restartPolicy: Unsupported value: "Maybe": supported values: "Always", "OnFailure", "Never"',
  ),
  invalid(
    'Pod',
    'two volume types',
    ['spec.volumes.0.emptyDir', {}],
    'spec.volumes[0].emptyDir: Forbidden: may not specify more than 1 volume type',
  ),
  invalid(
    'Pod',
    'node affinity without terms',
    ['spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution', { nodeSelectorTerms: [] }],
    'spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms: Required value: must have at least one node selector term',
  ),
  invalid(
    'Pod',
    'pod affinity without a topology',
    ['spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution', [{ labelSelector: {} }]],
    'spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].topologyKey: Required value: can not be empty',
  ),
  invalid(
    'Pod',
    'spread without skew',
    ['spec.topologySpreadConstraints', [{ topologyKey: 'zone', whenUnsatisfiable: 'DoNotSchedule' }]],
    'spec.topologySpreadConstraints[0].maxSkew: Invalid value: 0: must be greater than zero',
  ),
  invalid(
    'Deployment',
    'negative replicas',
    ['spec.replicas', -1],
    'spec.replicas: Invalid value: -1: must be greater than or equal to 0',
  ),
  invalid(
    'Deployment',
    'selector beside the template',
    ['spec.template.metadata.labels', { app: 'other' }],
    'spec.template.metadata.labels: Invalid value: {"app":"other"}: `selector` does not match template `labels`',
  ),
  invalid('Deployment', 'no selector', ['spec.selector', undefined], 'spec.selector: Required value'),
  invalid(
    'Deployment',
    'a template that ends',
    ['spec.template.spec.restartPolicy', 'Never'],
    'spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"',
  ),
  invalid(
    'Deployment',
    'no room to roll',
    ['spec.strategy', { rollingUpdate: { maxUnavailable: 0, maxSurge: 0 } }],
    'spec.strategy.rollingUpdate.maxUnavailable: Invalid value: 0: may not be 0 when `maxSurge` is 0',
  ),
  invalid('Service', 'no ports', ['spec.ports', []], 'spec.ports: Required value'),
  invalid(
    'Service',
    'node port of a cluster service',
    ['spec.ports.0.nodePort', 30_000],
    "spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'",
  ),
  invalid(
    'Service',
    'unnamed ports',
    ['spec.ports', [{ name: 'a', port: 1 }, { port: 2 }]],
    'spec.ports[1].name: Required value',
  ),
  invalid(
    'Service',
    'unknown type',
    ['spec.type', 'Magic'],
    'spec.type: Unsupported value: "Magic": supported values: "ClusterIP", "ExternalName", "LoadBalancer", "NodePort"',
  ),
  invalid(
    'ConfigMap',
    'bad key',
    ['data', { 'a b': '' }],
    `data[a b]: Invalid value: "a b": a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')`,
  ),
  invalid(
    'Secret',
    'incomplete TLS',
    ['type', 'kubernetes.io/tls'],
    'data[tls.crt]: Required value',
    'data[tls.key]: Required value',
  ),
  invalid(
    'Node',
    'unknown taint effect',
    ['spec.taints.0.effect', 'Hop'],
    'spec.taints[0].effect: Unsupported value: "Hop": supported values: "NoSchedule", "PreferNoSchedule", "NoExecute"',
  ),
  invalid(
    'EndpointSlice',
    'address of the other family',
    ['endpoints.0.addresses.0', '::1'],
    'endpoints[0].addresses[0]: Invalid value: "::1": must be an IPv4 address',
  ),
  invalid(
    'Lease',
    'no duration',
    ['spec.leaseDurationSeconds', 0],
    'spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0',
  ),
  invalid(
    'Job',
    'a Job that never ends',
    ['spec.template.spec.restartPolicy', 'Always'],
    'spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"',
  ),
  invalid(
    'Role',
    'no verbs',
    ['rules.0.verbs', []],
    'rules[0].verbs: Required value: verbs must contain at least one value',
  ),
  invalid(
    'Event',
    'of another namespace',
    ['involvedObject.namespace', 'other'],
    'involvedObject.namespace: Invalid value: "other": does not match event.namespace',
  ),
];
