// The OpenAPI v2 document: one for the whole API.

import type { Kind, Schema } from '../../api';
import { kubernetesVersion } from '../discovery/version';
import { definitionsFor, referenceTo } from './definitions';
import { type Operation, operationsOf } from './operations';

const prefix = '#/definitions/';
const jsonTypes = ['application/json', 'application/yaml'];
const patchTypes = [
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/strategic-merge-patch+json',
];

export interface ParameterV2 {
  name: string;
  in: 'body' | 'query' | 'path';
  description?: string;
  required?: boolean;
  type?: string;
  uniqueItems?: boolean;
  schema?: Schema;
}

export interface OperationV2 {
  description: string;
  operationId: string;
  tags: string[];
  consumes: string[];
  produces: string[];
  schemes: string[];
  parameters: ParameterV2[];
  responses: Record<string, { description: string; schema?: Schema }>;
  'x-kubernetes-action': string;
  'x-kubernetes-group-version-kind': Operation['gvk'];
}

export interface DocumentV2 {
  swagger: '2.0';
  info: { title: string; version: string };
  paths: Record<string, Partial<Record<Operation['method'], OperationV2>> & { parameters?: ParameterV2[] }>;
  definitions: Record<string, Schema>;
}

export function documentV2(kinds: readonly Kind[]): DocumentV2 {
  const operations = kinds.flatMap((kind) => operationsOf(kind));
  const paths: DocumentV2['paths'] = {};
  for (const operation of operations) {
    const item = (paths[operation.path] ??= { parameters: pathParameters(operation) });
    item[operation.method] = operationV2(operation);
  }
  return {
    swagger: '2.0',
    info: { title: 'Kubernetes', version: kubernetesVersion.gitVersion },
    paths,
    definitions: definitionsFor(prefix, operations, kinds),
  };
}

function pathParameters({ pathParameters: names }: Operation): ParameterV2[] {
  return names.map((name) => ({
    name,
    in: 'path',
    description: `The ${name}.`,
    required: true,
    type: 'string',
    uniqueItems: true,
  }));
}

function operationV2(operation: Operation): OperationV2 {
  const { action, id, gvk, query, body, answer, group, version, method } = operation;
  const parameters: ParameterV2[] = query.map(({ name, type, description }) => ({
    name,
    in: 'query',
    description,
    type,
    uniqueItems: true,
  }));
  if (body)
    parameters.unshift({ name: 'body', in: 'body', required: method !== 'delete', schema: referenceTo(prefix, body) });
  return {
    description: `${action} ${gvk.kind}`,
    operationId: id,
    tags: [`${group || 'core'}_${version}`],
    consumes: method === 'patch' ? patchTypes : ['*/*'],
    produces: jsonTypes,
    schemes: ['https'],
    parameters,
    responses: {
      '200': { description: 'OK', schema: referenceTo(prefix, answer) },
      '401': { description: 'Unauthorized' },
    },
    'x-kubernetes-action': action,
    'x-kubernetes-group-version-kind': gvk,
  };
}
