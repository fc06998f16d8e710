import { describe, expect, it } from 'vitest';
import { pruneUnknown } from './decode';
import type { KubeObject } from './meta';
import { declaredListSemantics } from './merge-keys';
import { formatFieldError } from './field-error';
import type { Kind } from './kind';
import { builtInKinds, findKind } from './kinds';
import { resources } from './resources';
import { hasSchema, kindSchemas, schemaOf } from './schema';
import { invalidObjects, validObjects } from './kinds.fixtures';

const now = Date.parse('2026-01-01T00:10:00Z');

function draftOf(kind: Kind): KubeObject {
  const source = validObjects[kind.kind];
  if (!source) throw new Error(`no fixture for ${kind.kind}`);
  return structuredClone(source);
}

function setAt(object: object, path: readonly (string | number)[], value: unknown): void {
  let parent = object as Record<string | number, unknown>;
  for (const part of path.slice(0, -1)) parent = (parent[part] ??= {}) as Record<string | number, unknown>;
  const last = path.at(-1)!;
  if (value === undefined) delete parent[last];
  else parent[last] = value;
}

function created(kind: Kind): KubeObject {
  const draft = draftOf(kind);
  kind.applyDefaults(draft);
  kind.prepareForCreate(draft);
  return draft;
}

describe.each(builtInKinds.map((kind) => ({ name: kind.kind, kind })))('$name', ({ kind }) => {
  it('declares a schema of its own group, version and kind', () => {
    expect(hasSchema(kind.schema)).toBe(true);
    const { group, version, kind: name } = kind;
    expect(schemaOf(kind.schema)['x-kubernetes-group-version-kind']).toEqual([{ group, version, kind: name }]);
  });

  it('is frozen and complete', () => {
    expect(Object.isFrozen(kind)).toBe(true);
    expect(kind.listKind).toBe(`${kind.kind}List`);
    expect(kind.plural).toBe(kind.plural.toLowerCase());
    expect(kind.columns.filter((column) => column.name === 'Name')).toHaveLength(1);
  });

  it('decodes its fixture without loss', () => {
    const decoded = pruneUnknown(kind.schema, draftOf(kind));
    expect(decoded).toEqual({ unknownFields: [], typeErrors: [] });
  });

  it('defaults the same twice as once, within its schema', () => {
    const once = draftOf(kind);
    kind.applyDefaults(once);
    const twice = structuredClone(once);
    kind.applyDefaults(twice);
    expect(twice).toEqual(once);
    expect(pruneUnknown(kind.schema, structuredClone(once))).toEqual({ unknownFields: [], typeErrors: [] });
  });

  it('accepts its fixture, as created and as unchanged', () => {
    const object = created(kind);
    expect(kind.validate(object).map(formatFieldError)).toEqual([]);
    const next = structuredClone(object);
    kind.prepareForUpdate(next, object);
    expect(kind.validateUpdate({ object: next, old: object }).map(formatFieldError)).toEqual([]);
    expect(next).toEqual(object);
  });

  it('prints every column of full and of empty objects', () => {
    const empty: KubeObject & { spec: object } = { metadata: { name: 'x' }, spec: {} };
    for (const object of [created(kind), empty]) {
      for (const column of kind.columns) {
        const value = column.value(object, now);
        expect([column.name, typeof value]).toEqual([
          column.name,
          column.type === 'integer' || column.type === 'number' ? 'number' : 'string',
        ]);
      }
    }
  });

  it('answers every selectable field with text', () => {
    for (const valueOf of Object.values(kind.selectableFields)) expect(typeof valueOf(created(kind))).toBe('string');
  });
});

describe('invalid objects', () => {
  it.each(invalidObjects)('$kind: $title', ({ kind: name, path, value, errors }) => {
    const kind = builtInKinds.find((candidate) => candidate.kind === name)!;
    const draft = draftOf(kind);
    setAt(draft, path, value);
    kind.applyDefaults(draft);
    kind.prepareForCreate(draft);
    expect(kind.validate(draft).map(formatFieldError)).toEqual(errors);
  });
});

describe('the catalogue', () => {
  it('finds kinds by their plural', () => {
    expect(findKind('apps', 'v1', 'deployments')?.kind).toBe('Deployment');
    expect(findKind('apps', 'v1', 'pods')).toBeUndefined();
  });

  it('serves what the typed resource names promise', () => {
    const missing = Object.values(resources).filter(
      ({ group, version, plural, namespaced }) => findKind(group, version, plural)?.namespaced !== namespaced,
    );
    expect(missing.map(({ plural }) => plural)).toEqual([]);
  });

  it('knows the kinds of Kubernetes by name', () => {
    const names = kindSchemas().map(({ name }) => name);
    expect(names).toContain('io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinition');
    expect(names).toContain('io.k8s.kube-aggregator.pkg.apis.apiregistration.v1.APIService');
    expect(names.length).toBeGreaterThan(100);
  });

  it.each(declaredListSemantics())('$definition.$field exists and its merge keys too', (rule) => {
    const field = schemaOf(rule.definition).properties?.[rule.field];
    expect(field).toBeDefined();
    const item = field!.items?.$ref ? schemaOf(field!.items.$ref) : undefined;
    for (const key of rule.semantics.mapKeys ?? []) expect(item?.properties?.[key]).toBeDefined();
  });
});
