// How lists and maps of the built-in types merge: what the type declarations of Kubernetes carry as patchStrategy,
// patchMergeKey, listType and listMapKey markers. Strategic merge patch, server-side apply and OpenAPI read it.
// A list that is not named here is replaced as a whole.

export interface ListSemantics {
  listType?: 'atomic' | 'set' | 'map';
  /** Keys that name an element of a `map` list. */
  mapKeys?: readonly string[];
  /** Key by which strategic merge patch pairs elements. */
  mergeKey?: string;
  /** 'merge', 'retainKeys' or 'merge,retainKeys' (strategic merge patch); absent: replace. */
  strategy?: string;
}

const atomic: ListSemantics = { listType: 'atomic' };
const set: ListSemantics = { listType: 'set' };
const mergingSet: ListSemantics = { listType: 'set', strategy: 'merge' };
const retainKeys: ListSemantics = { strategy: 'retainKeys' };

/** A map list merged by its first key. */
function byKey(mergeKey: string, ...furtherKeys: string[]): ListSemantics {
  return { listType: 'map', mapKeys: [mergeKey, ...furtherKeys], mergeKey, strategy: 'merge' };
}

/** A union in a map list: fields the patch does not list are dropped. */
function byKeyRetaining(mergeKey: string): ListSemantics {
  return { ...byKey(mergeKey), strategy: 'merge,retainKeys' };
}

/** Merged by strategic patches only; server-side apply owns it as a whole. */
function atomicByKey(mergeKey: string): ListSemantics {
  return { listType: 'atomic', mergeKey, strategy: 'merge' };
}

function mapOnly(...mapKeys: string[]): ListSemantics {
  return { listType: 'map', mapKeys };
}

function all(semantics: ListSemantics, ...fields: string[]): Record<string, ListSemantics> {
  return Object.fromEntries(fields.map((field) => [field, semantics]));
}

const conditionsByType = { conditions: byKey('type') };
const container = {
  ...all(atomic, 'args', 'command', 'envFrom', 'resizePolicy', 'restartPolicyRules'),
  env: byKey('name'),
  ports: byKey('containerPort', 'protocol'),
  volumeDevices: byKey('devicePath'),
  volumeMounts: byKey('mountPath'),
};
const podAffinity = all(
  atomic,
  'preferredDuringSchedulingIgnoredDuringExecution',
  'requiredDuringSchedulingIgnoredDuringExecution',
);
const items = { items: atomic };

const core: Record<string, Record<string, ListSemantics>> = {
  Container: container,
  EphemeralContainer: container,
  PodSpec: {
    ...all(byKey('name'), 'containers', 'initContainers', 'ephemeralContainers', 'imagePullSecrets', 'schedulingGates'),
    ...all(byKeyRetaining('name'), 'volumes', 'resourceClaims'),
    ...all(atomic, 'tolerations', 'readinessGates'),
    hostAliases: byKey('ip'),
    topologySpreadConstraints: byKey('topologyKey', 'whenUnsatisfiable'),
  },
  PodStatus: {
    ...conditionsByType,
    ...all(atomic, 'containerStatuses', 'initContainerStatuses', 'ephemeralContainerStatuses'),
    hostIPs: atomicByKey('ip'),
    podIPs: byKey('ip'),
    resourceClaimStatuses: byKeyRetaining('name'),
  },
  PodSecurityContext: all(atomic, 'supplementalGroups', 'sysctls'),
  Capabilities: all(atomic, 'add', 'drop'),
  PodDNSConfig: all(atomic, 'nameservers', 'options', 'searches'),
  NodeAffinity: all(atomic, 'preferredDuringSchedulingIgnoredDuringExecution'),
  PodAffinity: podAffinity,
  PodAntiAffinity: podAffinity,
  PodAffinityTerm: all(atomic, 'namespaces', 'matchLabelKeys', 'mismatchLabelKeys'),
  TopologySpreadConstraint: all(atomic, 'matchLabelKeys'),
  NodeSelector: all(atomic, 'nodeSelectorTerms'),
  NodeSelectorTerm: all(atomic, 'matchExpressions', 'matchFields'),
  NodeSelectorRequirement: all(atomic, 'values'),
  HostAlias: all(atomic, 'hostnames'),
  ExecAction: all(atomic, 'command'),
  HTTPGetAction: all(atomic, 'httpHeaders'),
  ResourceRequirements: { claims: mapOnly('name') },
  ConfigMapVolumeSource: items,
  ConfigMapProjection: items,
  SecretVolumeSource: items,
  SecretProjection: items,
  DownwardAPIVolumeSource: items,
  DownwardAPIProjection: items,
  ProjectedVolumeSource: { sources: atomic },
  ServiceSpec: {
    ...all(atomic, 'clusterIPs', 'externalIPs', 'ipFamilies', 'loadBalancerSourceRanges'),
    ports: { listType: 'map', mapKeys: ['port', 'protocol'], mergeKey: 'port', strategy: 'merge' },
  },
  ServiceStatus: conditionsByType,
  LoadBalancerStatus: { ingress: atomic },
  LoadBalancerIngress: { ports: atomic },
  ServiceAccount: { secrets: byKey('name'), imagePullSecrets: atomic },
  NodeSpec: { podCIDRs: mergingSet, taints: atomic },
  NodeStatus: {
    ...conditionsByType,
    ...all(atomic, 'images', 'volumesInUse', 'volumesAttached', 'runtimeHandlers'),
    addresses: byKey('type'),
  },
  ContainerImage: { names: atomic },
  NamespaceSpec: { finalizers: atomic },
  NamespaceStatus: conditionsByType,
  Endpoints: { subsets: atomic },
  EndpointSubset: all(atomic, 'addresses', 'notReadyAddresses', 'ports'),
  PersistentVolumeSpec: all(atomic, 'accessModes', 'mountOptions'),
  PersistentVolumeClaimSpec: { accessModes: atomic },
  PersistentVolumeClaimStatus: { ...conditionsByType, accessModes: atomic },
  LimitRangeSpec: { limits: atomic },
  ResourceQuotaSpec: { scopes: atomic },
  ReplicationControllerStatus: conditionsByType,
};

const byPackage: Record<string, Record<string, Record<string, ListSemantics>>> = {
  'io.k8s.api.core.v1': core,
  'io.k8s.apimachinery.pkg.apis.meta.v1': {
    ObjectMeta: { finalizers: mergingSet, ownerReferences: byKey('uid'), managedFields: atomic },
    LabelSelector: { matchExpressions: atomic },
    LabelSelectorRequirement: { values: atomic },
  },
  'io.k8s.api.apps.v1': {
    DeploymentSpec: { strategy: retainKeys },
    DeploymentStatus: conditionsByType,
    ReplicaSetStatus: conditionsByType,
    StatefulSetSpec: { volumeClaimTemplates: atomic },
    StatefulSetStatus: conditionsByType,
    DaemonSetStatus: conditionsByType,
  },
  'io.k8s.api.batch.v1': {
    JobStatus: { conditions: atomicByKey('type') },
    CronJobStatus: { active: atomic },
  },
  'io.k8s.api.discovery.v1': {
    EndpointSlice: all(atomic, 'endpoints', 'ports'),
    Endpoint: { addresses: set },
  },
  'io.k8s.api.rbac.v1': {
    Role: { rules: atomic },
    ClusterRole: { rules: atomic },
    RoleBinding: { subjects: atomic },
    ClusterRoleBinding: { subjects: atomic },
    AggregationRule: { clusterRoleSelectors: atomic },
    PolicyRule: all(atomic, 'apiGroups', 'nonResourceURLs', 'resourceNames', 'resources', 'verbs'),
  },
  'io.k8s.api.networking.v1': {
    IngressSpec: all(atomic, 'rules', 'tls'),
    IngressTLS: { hosts: atomic },
    HTTPIngressRuleValue: { paths: atomic },
    NetworkPolicySpec: all(atomic, 'egress', 'ingress', 'policyTypes'),
  },
  'io.k8s.api.autoscaling.v2': {
    HorizontalPodAutoscalerSpec: { metrics: atomic },
    HorizontalPodAutoscalerStatus: { conditions: byKey('type'), currentMetrics: atomic },
  },
  'io.k8s.api.policy.v1': { PodDisruptionBudgetStatus: conditionsByType },
  'io.k8s.api.certificates.v1': { CertificateSigningRequestStatus: { conditions: mapOnly('type') } },
  'io.k8s.api.storage.v1': { CSINodeSpec: { drivers: byKey('name') } },
  'io.k8s.api.admissionregistration.v1': {
    MutatingWebhookConfiguration: { webhooks: byKey('name') },
    ValidatingWebhookConfiguration: { webhooks: byKey('name') },
  },
  'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1': {
    CustomResourceDefinitionStatus: { conditions: mapOnly('type') },
  },
  'io.k8s.kube-aggregator.pkg.apis.apiregistration.v1': { APIServiceStatus: conditionsByType },
};

/** Merge semantics of the list or map fields of a definition, by field name. */
export function listSemanticsOf(definition: string): Readonly<Record<string, ListSemantics>> {
  const split = definition.lastIndexOf('.');
  return byPackage[definition.slice(0, split)]?.[definition.slice(split + 1)] ?? {};
}

/** Objects that are owned and replaced as a whole. */
export const atomicDefinitions: ReadonlySet<string> = new Set([
  ...[
    'ConfigMapKeySelector EndpointAddress EndpointPort FileKeySelector LocalObjectReference NodeSelector',
    'NodeSelectorTerm ObjectFieldSelector ObjectReference ResourceFieldSelector ScopeSelector SecretKeySelector',
    'SecretReference TypedLocalObjectReference TopologySelectorTerm',
  ].flatMap((line) => line.split(' ').map((name) => `io.k8s.api.core.v1.${name}`)),
  'io.k8s.api.rbac.v1.RoleRef',
  'io.k8s.api.rbac.v1.Subject',
  'io.k8s.api.discovery.v1.EndpointPort',
  'io.k8s.apimachinery.pkg.apis.meta.v1.LabelSelector',
  'io.k8s.apimachinery.pkg.apis.meta.v1.OwnerReference',
]);

/** Every definition and field the table names, for checking it against the schemas. */
export function declaredListSemantics(): { definition: string; field: string; semantics: ListSemantics }[] {
  return Object.entries(byPackage).flatMap(([prefix, definitions]) =>
    Object.entries(definitions).flatMap(([name, fields]) =>
      Object.entries(fields).map(([field, semantics]) => ({ definition: `${prefix}.${name}`, field, semantics })),
    ),
  );
}
