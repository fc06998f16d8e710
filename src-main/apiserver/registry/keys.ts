// Where objects live in the store: the same places where upstream's API server has them, so that etcdctl recipes fit.

import type { Kind } from '../../api';

export const registryRoot = '/registry/';

const coreFolders: Readonly<Record<string, string>> = {
  services: 'services/specs',
  endpoints: 'services/endpoints',
  nodes: 'minions',
  replicationcontrollers: 'controllers',
};

/** Groups that upstream keeps by plural alone. */
const flatGroups = new Set([
  '',
  'apps',
  'batch',
  'autoscaling',
  'policy',
  'coordination.k8s.io',
  'discovery.k8s.io',
  'rbac.authorization.k8s.io',
  'storage.k8s.io',
  'scheduling.k8s.io',
  'node.k8s.io',
  'networking.k8s.io',
  'certificates.k8s.io',
  'events.k8s.io',
  'admissionregistration.k8s.io',
  'flowcontrol.apiserver.k8s.io',
]);

const folderExceptions: Readonly<Record<string, string>> = {
  'networking.k8s.io/ingresses': 'ingress',
  'policy/poddisruptionbudgets': 'poddisruptionbudgets',
};

/** The prefix of all keys of a kind, with its closing slash. */
export function kindPrefix(kind: Pick<Kind, 'group' | 'plural'>): string {
  const { group, plural } = kind;
  const exception = group === '' ? coreFolders[plural] : folderExceptions[`${group}/${plural}`];
  return `${registryRoot}${exception ?? (flatGroups.has(group) ? plural : `${group}/${plural}`)}/`;
}

/** The key of one object. Keys hold one character a byte, names (of roles, say) may be any UTF-8. */
export function objectKey(prefix: string, namespace: string, name: string): string {
  const bytes = /[^\u0020-\u007e]/.test(name) ? Buffer.from(name, 'utf8').toString('latin1') : name;
  return namespace ? `${prefix}${namespace}/${bytes}` : prefix + bytes;
}
