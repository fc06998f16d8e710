// Definitions for the documents: the API's own schemas, and the one that exists only in OpenAPI.

import { hasSchema, type Kind, openApiDefinitions, type Schema, schemaClosure } from '../../api';
import { type Operation, patchSchema, schemasOf } from './operations';

const metaKinds = ['io.k8s.apimachinery.pkg.apis.meta.v1.WatchEvent'];

/** All definitions that operations and kinds need, with references prefixed. */
export function definitionsFor(
  prefix: string,
  operations: readonly Operation[],
  kinds: readonly Kind[],
): Record<string, Schema> {
  const names = [...schemasOf(operations), ...kinds.map((kind) => kind.schema), ...metaKinds].filter(hasSchema);
  const definitions = openApiDefinitions(prefix, schemaClosure(names));
  definitions[patchSchema] = { description: 'A patch in one of the formats of Kubernetes.', type: 'object' };
  return definitions;
}

/** A reference to a definition; anything when there is no such definition. */
export function referenceTo(prefix: string, name: string): Schema {
  return name === patchSchema || hasSchema(name) ? { $ref: prefix + name } : { type: 'object' };
}
