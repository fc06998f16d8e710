// How objects name one another: the reference of an Event, and the reference of an owner. Items of a list carry no
// apiVersion and kind of their own, so both take them from the caller.

import type { KubeObject, ObjectReference, OwnerReference } from '../api';

export interface TypeName {
  apiVersion: string;
  kind: string;
}

/** A reference to `object` for an Event's involvedObject or an address's targetRef. */
export function referenceTo(type: TypeName, object: KubeObject): ObjectReference {
  const { namespace, name, uid, resourceVersion } = object.metadata;
  const { apiVersion, kind } = type;
  const version = resourceVersion ? { resourceVersion } : {};
  return { apiVersion, kind, ...(namespace ? { namespace } : {}), name, ...(uid ? { uid } : {}), ...version };
}

/** The reference by which `owner` is the controller of an object. */
export function controllerReference(type: TypeName, owner: KubeObject): OwnerReference {
  const { name = '', uid = '' } = owner.metadata;
  return { apiVersion: type.apiVersion, kind: type.kind, name, uid, controller: true, blockOwnerDeletion: true };
}

/** The reference marked as controller, if any. */
export function controllerOf(object: Pick<KubeObject, 'metadata'>): OwnerReference | undefined {
  return object.metadata.ownerReferences?.find((reference) => reference.controller);
}
