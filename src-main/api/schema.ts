// The schemas of every built-in type: generated from the client package (`npm run gen`), joined with our own table of
// merge keys. One source for decoding, OpenAPI, explain, patches and the editor. Definitions are shared: never changed.

import { PilothouseError } from '../kit';
import generated from './generated/schemas.json';
import { atomicDefinitions, listSemanticsOf } from './merge-keys';

export interface GroupVersionKind {
  group: string;
  version: string;
  kind: string;
}

export interface Schema {
  description?: string;
  type?: string;
  format?: string;
  /** Name of another definition, without any `#/…/` prefix. */
  $ref?: string;
  items?: Schema;
  additionalProperties?: Schema;
  properties?: Record<string, Schema>;
  required?: string[];
  'x-kubernetes-group-version-kind'?: GroupVersionKind[];
  'x-kubernetes-list-type'?: string;
  'x-kubernetes-list-map-keys'?: string[];
  'x-kubernetes-map-type'?: string;
  'x-kubernetes-patch-merge-key'?: string;
  'x-kubernetes-patch-strategy'?: string;
}

/** Definitions whose JSON is a scalar with rules of its own. */
export const scalarDefinitions = {
  time: 'io.k8s.apimachinery.pkg.apis.meta.v1.Time',
  microTime: 'io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime',
  intOrString: 'io.k8s.apimachinery.pkg.util.intstr.IntOrString',
  quantity: 'io.k8s.apimachinery.pkg.api.resource.Quantity',
} as const;

const source: Readonly<Record<string, Schema>> = generated;
const decorated = new Map<string, Schema>();

function decorate(name: string, schema: Schema): Schema {
  const result: Schema = { ...schema };
  if (atomicDefinitions.has(name)) result['x-kubernetes-map-type'] = 'atomic';
  const semantics = listSemanticsOf(name);
  if (schema.properties && Object.keys(semantics).length > 0) {
    result.properties = { ...schema.properties };
    for (const [field, rule] of Object.entries(semantics)) {
      const property = schema.properties[field];
      if (!property) continue;
      const extended: Schema = { ...property };
      if (rule.listType) extended['x-kubernetes-list-type'] = rule.listType;
      if (rule.mapKeys) extended['x-kubernetes-list-map-keys'] = [...rule.mapKeys];
      if (rule.mergeKey) extended['x-kubernetes-patch-merge-key'] = rule.mergeKey;
      if (rule.strategy) extended['x-kubernetes-patch-strategy'] = rule.strategy;
      result.properties[field] = extended;
    }
  }
  return result;
}

/** Whether there is a definition of this name. */
export function hasSchema(name: string): boolean {
  return Object.hasOwn(source, name);
}

/** A definition with its merge semantics. Throws PilothouseError SCHEMA_UNKNOWN. */
export function schemaOf(name: string): Schema {
  const known = decorated.get(name);
  if (known) return known;
  if (!hasSchema(name)) {
    throw new PilothouseError({ code: 'SCHEMA_UNKNOWN', message: `there is no API definition named ${name}` });
  }
  const schema = decorate(name, source[name]!);
  decorated.set(name, schema);
  return schema;
}

/** Names of all definitions. */
export function schemaNames(): string[] {
  return Object.keys(source);
}

/** Every definition that is a kind of its own: name, group, version, kind. */
export function kindSchemas(): ({ name: string } & GroupVersionKind)[] {
  return Object.entries(source).flatMap(([name, schema]) =>
    (schema['x-kubernetes-group-version-kind'] ?? []).map((kind) => ({ name, ...kind })),
  );
}

function withPrefix(schema: Schema, prefix: string): Schema {
  const result: Schema = { ...schema };
  if (schema.$ref) result.$ref = prefix + schema.$ref;
  if (schema.items) result.items = withPrefix(schema.items, prefix);
  if (schema.additionalProperties) result.additionalProperties = withPrefix(schema.additionalProperties, prefix);
  if (schema.properties) {
    result.properties = Object.fromEntries(
      Object.entries(schema.properties).map(([name, property]) => [name, withPrefix(property, prefix)]),
    );
  }
  return result;
}

function references(schema: Schema, into: Set<string>): void {
  const nested = [schema.items, schema.additionalProperties, ...Object.values(schema.properties ?? {})];
  if (schema.$ref) into.add(schema.$ref);
  for (const part of nested) if (part) references(part, into);
}

/** The named definitions and all they refer to. */
export function schemaClosure(names: readonly string[]): Set<string> {
  const found = new Set<string>();
  const queue = [...names];
  for (let name = queue.pop(); name !== undefined; name = queue.pop()) {
    if (found.has(name) || !hasSchema(name)) continue;
    found.add(name);
    const next = new Set<string>();
    references(source[name]!, next);
    queue.push(...next);
  }
  return found;
}

/**
 * Definitions for an OpenAPI document, `$ref`s prefixed: '#/definitions/' (v2) or '#/components/schemas/' (v3).
 * Without names: all definitions.
 */
export function openApiDefinitions(refPrefix: string, names: Iterable<string> = schemaNames()): Record<string, Schema> {
  return Object.fromEntries([...names].sort().map((name) => [name, withPrefix(schemaOf(name), refPrefix)]));
}
