// What a controller is to the engine: a name, what it watches and which keys each change concerns, and a reconcile of
// one key. A controller reads listers only, writes through the client, and keeps no timers and no clock of its own.

import type { KubeObject } from '../../api';
import { type Client, controllerOf, type EventRecorder, type Informer, objectKey, type Resource } from '../../client';
import type { Clock, Logger } from '../../kit';
import type { InformerSet } from './informer-set';

/** What startControllers was told about the cluster. */
export interface ClusterSettings {
  /** The Pod network, from which every node gets a /24, e.g. 10.244.0.0/16. */
  podNetwork: string;
  /** PEM published as ConfigMap kube-root-ca.crt in every namespace; absent = not published. */
  rootCertificate?: string;
  /** Every kind the API server serves: what namespace deletion empties and the garbage collector follows. */
  kinds: readonly ServedKind[];
}

export interface ServedKind extends Resource {
  kind: string;
}

export interface ControllerContext {
  client: Client;
  informers: InformerSet;
  events: EventRecorder;
  logger: Logger;
  clock: Clock;
  settings: ClusterSettings;
}

/** Done, or to be looked at again in `requeueAfterMs` even if nothing changes. Throwing retries with backoff. */
export type Outcome = { requeueAfterMs: number } | void;

export interface Reconciler {
  reconcile(key: string): Promise<Outcome>;
}

export interface Change<T extends KubeObject = KubeObject> {
  object: T;
  /** Present when the object was held before and changed. */
  old?: T;
  deleted: boolean;
}

export interface Watch {
  resource: Resource;
  /** Keys to reconcile because of this change. */
  keys(change: Change, context: ControllerContext): readonly string[];
}

export interface ControllerDeclaration {
  /** e.g. replicaset. */
  name: string;
  /** The source of its events, as upstream names it, e.g. replicaset-controller. */
  component: string;
  /** Keys worked on at a time; default 2. */
  concurrency?: number;
  watches(settings: ClusterSettings): readonly Watch[];
  create(context: ControllerContext): Reconciler;
}

/** The changed object's own key. */
export function primary(resource: Resource): Watch {
  return { resource, keys: ({ object }) => [objectKey(object)] };
}

/** The key of the object's controller of this kind, before and after the change. */
export function owned(resource: Resource, ownerKind: string): Watch {
  return {
    resource,
    keys: ({ object, old }) => {
      const owners = [object, old].map((version) => version && controllerOf(version));
      return owners
        .filter((owner) => owner?.kind === ownerKind)
        .map((owner) => objectKey({ metadata: { namespace: object.metadata.namespace, name: owner!.name } }));
    },
  };
}

/** Whatever keys `keys` makes of a change. */
export function mapped<T extends KubeObject>(
  resource: Resource,
  keys: (change: Change<T>, context: ControllerContext) => readonly string[],
): Watch {
  return { resource, keys: (change, context) => keys(change as Change<T>, context) };
}

export type AnyInformer = Informer<KubeObject>;
