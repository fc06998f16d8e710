// What most kinds do the same way, so that a kind's file holds only what is its own: the create and update pipeline
// (status reset, generation, status subresource) and the columns every table begins and ends with.

import { ageOf } from './duration';
import type { FieldError } from './field-error';
import type { Column, Kind, ScaleSubresource, UpdateContext } from './kind';
import type { KubeObject } from './meta';
import type { NameFormat } from './names';
import { jsonEqual } from './patch';

export interface KindDeclaration<T extends KubeObject> {
  group: string;
  version: string;
  kind: string;
  plural: string;
  schema: string;
  namespaced: boolean;
  singular?: string;
  shortNames?: readonly string[];
  categories?: readonly string[];
  verbs?: readonly string[];
  nameFormat?: NameFormat;
  subresources?: readonly string[];
  /** The kind has a status subresource: status is reset on create and kept on update. */
  hasStatus?: boolean;
  /** The API server counts changes of everything but metadata and status in metadata.generation. */
  hasGeneration?: boolean;
  /** A client may set the status at creation (Nodes: a kubelet registers with it). */
  keepsStatusOnCreate?: boolean;
  /** Status a new object starts with; default: none. */
  initialStatus?(): unknown;
  /** What the status subresource may not change besides spec; default: labels. */
  statusKeepsLabels?: boolean;
  applyDefaults?(draft: T): void;
  /** Runs after the standard preparation. */
  prepareForCreate?(draft: T): void;
  prepareForUpdate?(draft: T, old: T): void;
  validate?(object: T): FieldError[];
  validateUpdate?(context: UpdateContext<T>): FieldError[];
  validateStatusUpdate?(context: UpdateContext<T>): FieldError[];
  scale?: ScaleSubresource<T>;
  selectableFields?: Readonly<Record<string, (object: T) => string>>;
  /** Columns after NAME; `ageColumn` included where it belongs. */
  columns?: readonly Column<T>[];
  gracePeriodSeconds?(object: T): number;
}

/** An object with the members that the standard pipeline touches. */
interface Loose extends KubeObject {
  status?: unknown;
  [member: string]: unknown;
}

const notContent: ReadonlySet<string> = new Set(['apiVersion', 'kind', 'metadata', 'status']);

function contentOf(object: Loose): Record<string, unknown> {
  return Object.fromEntries(Object.entries(object).filter(([key]) => !notContent.has(key)));
}

export const nameColumn: Column<KubeObject> = {
  name: 'Name',
  type: 'string',
  format: 'name',
  description:
    'Name must be unique within a namespace. Is required when creating resources, although some resources may allow a client to request the generation of an appropriate name automatically.',
  value: (object) => object.metadata.name ?? '',
};

/** Kinds that name themselves in a column of their own, as Events do, get no second one in front. */
function columnsOf<T>(declared: readonly Column<T>[]): readonly Column<T>[] {
  return declared.some((column) => column.name === nameColumn.name) ? declared : [nameColumn as Column<T>, ...declared];
}

export const ageColumn: Column<KubeObject> = {
  name: 'Age',
  type: 'string',
  description: 'Time since the object was created.',
  value: (object, now) => ageOf(object.metadata.creationTimestamp, now),
};

function setStatus(draft: Loose, status: unknown): void {
  if (status === undefined) delete draft.status;
  else draft.status = status;
}

/** Builds the frozen kind; its own object type is erased, as the registry treats all kinds alike. */
export function defineKind<T extends KubeObject>(declaration: KindDeclaration<T>): Kind {
  const { hasStatus = false, hasGeneration = false } = declaration;
  const kind: Kind<T> = {
    group: declaration.group,
    version: declaration.version,
    kind: declaration.kind,
    listKind: `${declaration.kind}List`,
    plural: declaration.plural,
    singular: declaration.singular ?? declaration.kind.toLowerCase(),
    shortNames: declaration.shortNames ?? [],
    categories: declaration.categories ?? [],
    namespaced: declaration.namespaced,
    schema: declaration.schema,
    verbs: declaration.verbs ?? [],
    applyDefaults: (draft) => declaration.applyDefaults?.(draft),
    prepareForCreate(draft) {
      if (hasStatus && !declaration.keepsStatusOnCreate) {
        setStatus(draft as unknown as Loose, declaration.initialStatus?.());
      }
      if (hasGeneration) draft.metadata.generation = 1;
      declaration.prepareForCreate?.(draft);
    },
    prepareForUpdate(draft, old) {
      const next = draft as unknown as Loose;
      const before = old as unknown as Loose;
      if (hasStatus) setStatus(next, before.status);
      const changed = hasGeneration && !jsonEqual(contentOf(next), contentOf(before));
      const generation = (old.metadata.generation ?? 0) + (changed ? 1 : 0);
      if (hasGeneration || old.metadata.generation !== undefined) draft.metadata.generation = generation;
      else delete draft.metadata.generation;
      declaration.prepareForUpdate?.(draft, old);
    },
    validate: (object) => declaration.validate?.(object) ?? [],
    validateUpdate: (context) => declaration.validateUpdate?.(context) ?? [],
    selectableFields: declaration.selectableFields ?? {},
    columns: columnsOf(declaration.columns ?? [ageColumn]),
  };
  if (hasStatus) kind.status = statusSubresource(declaration);
  if (declaration.scale) kind.scale = declaration.scale;
  if (declaration.subresources) kind.subresources = declaration.subresources;
  if (declaration.nameFormat) kind.nameFormat = declaration.nameFormat;
  if (declaration.gracePeriodSeconds) {
    kind.gracePeriodSeconds = (object) => declaration.gracePeriodSeconds!(object);
  }
  return Object.freeze(kind) as unknown as Kind;
}

function statusSubresource<T extends KubeObject>(declaration: KindDeclaration<T>): NonNullable<Kind<T>['status']> {
  return {
    prepareForUpdate(draft, old) {
      const next = draft as unknown as Loose;
      const before = old as unknown as Loose;
      for (const key of Object.keys(contentOf(next))) delete next[key];
      Object.assign(next, contentOf(before));
      if (declaration.statusKeepsLabels ?? true) {
        if (old.metadata.labels) draft.metadata.labels = old.metadata.labels;
        else delete draft.metadata.labels;
      }
      if (old.metadata.generation === undefined) delete draft.metadata.generation;
      else draft.metadata.generation = old.metadata.generation;
    },
    validateUpdate: (context) => declaration.validateStatusUpdate?.(context) ?? [],
  };
}
