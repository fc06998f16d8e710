// One kind = one declaration. Everything the registry, the printers, discovery and the window need to know about a
// kind is data or a pure function here; the pipeline that uses it is the same for all.

import type { FieldError } from './field-error';
import type { KubeObject } from './meta';

export interface Column<T> {
  name: string;
  type: 'string' | 'integer' | 'number' | 'boolean' | 'date';
  format?: string;
  description?: string;
  /** 0 = always shown, 1 = with `-o wide`. */
  priority?: number;
  /** `now` is milliseconds since the epoch, for ages. */
  value(object: T, now: number): string | number | boolean | null;
}

export interface ScaleSubresource<T> {
  specReplicas(object: T): number;
  setSpecReplicas(object: T, replicas: number): void;
  statusReplicas(object: T): number;
  /** Label selector in its string form. */
  selector(object: T): string;
}

export interface UpdateContext<T> {
  object: T;
  old: T;
}

export interface Kind<T extends KubeObject = KubeObject> {
  /** '' for the core group. */
  group: string;
  version: string;
  kind: string;
  listKind: string;
  plural: string;
  singular: string;
  shortNames: readonly string[];
  categories: readonly string[];
  namespaced: boolean;
  /** Name of its OpenAPI definition, e.g. io.k8s.api.apps.v1.Deployment. */
  schema: string;
  /** Empty = all of create, delete, deletecollection, get, list, patch, update, watch. */
  verbs?: readonly string[];
  /** Fills defaults into a draft, in place. Pure and idempotent. */
  applyDefaults(draft: T): void;
  /** Resets what a client may not set at creation (status) and sets server-owned fields (generation), in place. */
  prepareForCreate(draft: T): void;
  /** Keeps status and server-owned fields of `old`, raises the generation when the spec changed, in place. */
  prepareForUpdate(draft: T, old: T): void;
  /** Field errors of an object to be created, with Kubernetes' own wording and paths. Metadata is validated elsewhere. */
  validate(object: T): FieldError[];
  /** Field errors of the change alone (immutability); the caller runs `validate` on the new object too. */
  validateUpdate(context: UpdateContext<T>): FieldError[];
  /** Present when the kind has a status subresource: keeps all but status (and what status updates may change). */
  status?: { prepareForUpdate(draft: T, old: T): void; validateUpdate(context: UpdateContext<T>): FieldError[] };
  scale?: ScaleSubresource<T>;
  /** Further subresources that a handler of the API server serves: log, binding, eviction, exec, token, … */
  subresources?: readonly string[];
  /** Field selectors besides metadata.name and metadata.namespace. */
  selectableFields: Readonly<Record<string, (object: T) => string>>;
  columns: readonly Column<T>[];
  /** Seconds a deletion waits by default; 0 or absent = deleted at once (Pods: spec.terminationGracePeriodSeconds). */
  gracePeriodSeconds?(object: T): number;
  /** Name validation: the default is a DNS-1123 subdomain. */
  nameFormat?: 'dns1123-subdomain' | 'dns1123-label' | 'dns1035-label' | 'path-segment';
}
