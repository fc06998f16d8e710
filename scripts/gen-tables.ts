// What `gen.ts` cannot read from the models: which package a shared model belongs to, and which strings are quantities.

/** Class-name prefixes that the client generator adds where two groups have the same model. */
export const prefixedGroups = [
  'Admissionregistration Apiextensions Apiregistration Authentication Core Discovery Events',
  'Flowcontrol Rbac Resource Storage',
].flatMap((line) => line.split(' '));

const meta = [
  'APIGroup APIGroupList APIResource APIResourceList APIVersions Condition DeleteOptions',
  'FieldSelectorRequirement GroupResource GroupVersionForDiscovery LabelSelector',
  'LabelSelectorRequirement ListMeta ManagedFieldsEntry ObjectMeta OwnerReference Preconditions',
  'ServerAddressByClientCIDR ShardInfo Status StatusCause StatusDetails WatchEvent',
].flatMap((line) => line.split(' '));

const packages: Record<string, readonly string[]> = {
  'meta.v1': meta,
  'autoscaling.v1': ['Scale', 'ScaleSpec', 'ScaleStatus'],
  'policy.v1': ['Eviction'],
  'authentication.v1': ['BoundObjectReference', 'TokenRequestSpec', 'TokenRequestStatus', 'UserInfo'],
};

/** Models that several groups use, and where they are declared. */
export const explicitPackages: Record<string, string> = Object.fromEntries(
  Object.entries(packages).flatMap(([name, models]) => models.map((model) => [`V1${model}`, name])),
);

/** Definition-name prefix by group, where it is not `io.k8s.api.<group>`. */
export const definitionPrefixes: Record<string, string> = {
  meta: 'io.k8s.apimachinery.pkg.apis.meta',
  apiextensions: 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions',
  apiregistration: 'io.k8s.kube-aggregator.pkg.apis.apiregistration',
  internalapiserver: 'io.k8s.api.apiserverinternal',
  rbacauthorization: 'io.k8s.api.rbac',
  flowcontrolapiserver: 'io.k8s.api.flowcontrol',
};

export const wellKnownDefinitions: Record<string, string> = {
  Time: 'io.k8s.apimachinery.pkg.apis.meta.v1.Time',
  MicroTime: 'io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime',
  IntOrString: 'io.k8s.apimachinery.pkg.util.intstr.IntOrString',
  Quantity: 'io.k8s.apimachinery.pkg.api.resource.Quantity',
  VersionInfo: 'io.k8s.apimachinery.pkg.version.Info',
};

/** Group names as served, by the package's last part, where it is not `<part>.k8s.io`. */
export const fullGroupNames: Record<string, string> = {
  core: '',
  apps: 'apps',
  autoscaling: 'autoscaling',
  batch: 'batch',
  policy: 'policy',
  rbac: 'rbac.authorization.k8s.io',
  flowcontrol: 'flowcontrol.apiserver.k8s.io',
  apiserverinternal: 'internal.apiserver.k8s.io',
};

const quantities: Record<string, readonly string[]> = {
  V1ResourceRequirements: ['limits', 'requests'],
  V1VolumeResourceRequirements: ['limits', 'requests'],
  V1PodSpec: ['overhead'],
  V1Overhead: ['podFixed'],
  V1NodeStatus: ['capacity', 'allocatable'],
  V1ContainerStatus: ['allocatedResources'],
  V1PodStatus: ['allocatedResources'],
  V1PersistentVolumeSpec: ['capacity'],
  V1PersistentVolumeClaimStatus: ['capacity', 'allocatedResources'],
  V1LimitRangeItem: ['default', 'defaultRequest', 'max', 'maxLimitRequestRatio', 'min'],
  V1ResourceQuotaSpec: ['hard'],
  V1ResourceQuotaStatus: ['hard', 'used'],
  V1EmptyDirVolumeSource: ['sizeLimit'],
  V1ResourceFieldSelector: ['divisor'],
  V1CSIStorageCapacity: ['capacity', 'maximumVolumeSize'],
  V2MetricTarget: ['averageValue', 'value'],
  V2MetricValueStatus: ['averageValue', 'value'],
};

/** `Class.property` whose string (or map of strings) is a resource quantity. */
export const quantityFields: ReadonlySet<string> = new Set(
  Object.entries(quantities).flatMap(([model, fields]) => fields.map((field) => `${model}.${field}`)),
);
