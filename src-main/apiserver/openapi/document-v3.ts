// The OpenAPI v3 documents: one for each group and version.

import type { Kind, Schema } from '../../api';
import { kubernetesVersion } from '../discovery/version';
import { definitionsFor, referenceTo } from './definitions';
import { type Operation, operationsOf } from './operations';

const prefix = '#/components/schemas/';
const patchTypes = [
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/strategic-merge-patch+json',
];

function pathOf(kind: Kind): string {
  return kind.group ? `apis/${kind.group}/${kind.version}` : `api/${kind.version}`;
}

/** `api/v1`, `apis/apps/v1`, … in the order of the kinds. */
export function groupVersionsOf(kinds: readonly Kind[]): string[] {
  return [...new Set(kinds.map(pathOf))];
}

/** The document of one group and version. */
export function documentV3(kinds: readonly Kind[], groupVersion: string): Record<string, unknown> {
  const own = kinds.filter((kind) => pathOf(kind) === groupVersion);
  const operations = own.flatMap((kind) => operationsOf(kind));
  const paths: Record<string, Record<string, unknown>> = {};
  for (const operation of operations) {
    const item = (paths[operation.path] ??= { parameters: operation.pathParameters.map(pathParameter) });
    item[operation.method] = operationV3(operation);
  }
  return {
    openapi: '3.0.0',
    info: { title: 'Kubernetes', version: kubernetesVersion.gitVersion },
    paths,
    components: { schemas: wrapReferences(definitionsFor(prefix, operations, own)) },
  };
}

function pathParameter(name: string): Record<string, unknown> {
  return {
    name,
    in: 'path',
    description: `The ${name}.`,
    required: true,
    schema: { type: 'string', uniqueItems: true },
  };
}

function content(types: readonly string[], schema: Schema): Record<string, unknown> {
  return Object.fromEntries(types.map((type) => [type, { schema }]));
}

function operationV3(operation: Operation): Record<string, unknown> {
  const { action, id, gvk, query, body, answer, group, version, method } = operation;
  return {
    description: `${action} ${gvk.kind}`,
    operationId: id,
    tags: [`${group || 'core'}_${version}`],
    parameters: query.map(({ name, type, description }) => ({
      name,
      in: 'query',
      description,
      schema: { type, uniqueItems: true },
    })),
    ...(body
      ? { requestBody: { content: content(method === 'patch' ? patchTypes : ['*/*'], referenceTo(prefix, body)) } }
      : {}),
    responses: {
      '200': {
        description: 'OK',
        content: content(['application/json', 'application/yaml'], referenceTo(prefix, answer)),
      },
      '401': { description: 'Unauthorized' },
    },
    'x-kubernetes-action': action,
    'x-kubernetes-group-version-kind': gvk,
  };
}

type SchemaV3 = Omit<Schema, 'properties' | 'items' | 'additionalProperties'> & {
  allOf?: Schema[];
  properties?: Record<string, SchemaV3>;
  items?: SchemaV3;
  additionalProperties?: SchemaV3;
};

/** In v3 nothing may stand beside a $ref, so a described reference becomes an allOf of one. */
function wrapReference(schema: Schema): SchemaV3 {
  const { $ref, properties, items, additionalProperties, ...rest } = schema;
  const result: SchemaV3 = { ...rest };
  if ($ref) {
    if (Object.keys(rest).length === 0) return { $ref };
    result.allOf = [{ $ref }];
  }
  if (properties) result.properties = wrapReferences(properties);
  if (items) result.items = wrapReference(items);
  if (additionalProperties) result.additionalProperties = wrapReference(additionalProperties);
  return result;
}

function wrapReferences(schemas: Record<string, Schema>): Record<string, SchemaV3> {
  return Object.fromEntries(Object.entries(schemas).map(([name, schema]) => [name, wrapReference(schema)]));
}
