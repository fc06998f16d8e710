// NamespaceLifecycle: nothing is created in a namespace that is not there or is going; the system's own namespaces stay.

import type { Namespace } from '../../api';
import type { Registries } from '../registry/registries';
import { forbidden, notFound } from '../status/errors';
import type { AdmissionPlugin, AdmissionRequest } from './admission';

const immortal = new Set(['default', 'kube-system', 'kube-public']);
const namespaces = { group: '', kind: 'Namespace', plural: 'namespaces' };

export function namespaceLifecycle(registries: Registries): AdmissionPlugin {
  return { name: 'NamespaceLifecycle', admit: (request) => check(registries, request) };
}

function check(registries: Registries, request: AdmissionRequest): void {
  const { operation, kind, namespace, name } = request;
  if (operation === 'DELETE' && kind.kind === 'Namespace' && kind.group === '' && immortal.has(name)) {
    throw forbidden(kind, name, 'this namespace may not be deleted');
  }
  if (operation !== 'CREATE' || !kind.namespaced) return;
  const found = registries.cached<Namespace>('namespaces', '', namespace);
  if (!found) throw notFound(namespaces, namespace);
  if (!found.metadata.deletionTimestamp) return;
  const message = `namespace ${namespace} is being terminated`;
  throw forbidden(kind, name, `unable to create new content in namespace ${namespace} because it is being terminated`, [
    { reason: 'NamespaceTerminating', message, field: 'metadata.namespace' },
  ]);
}
