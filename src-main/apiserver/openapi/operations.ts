// The operations of all kinds as plain data, from which both OpenAPI versions are written.

import type { Kind } from '../../api';
import { subresourcesOf } from '../subresources';

export interface QueryParameter {
  name: string;
  type: 'string' | 'boolean' | 'integer';
  description: string;
}

export interface Operation {
  path: string;
  method: 'get' | 'post' | 'put' | 'patch' | 'delete';
  /** x-kubernetes-action */
  action: string;
  id: string;
  group: string;
  version: string;
  gvk: { group: string; version: string; kind: string };
  pathParameters: readonly string[];
  query: readonly QueryParameter[];
  /** Definition of the request body. */
  body?: string;
  /** Definition of the answer. */
  answer: string;
}

const text = (name: string, description: string): QueryParameter => ({ name, type: 'string', description });
const switchOf = (name: string, description: string): QueryParameter => ({ name, type: 'boolean', description });
const numberOf = (name: string, description: string): QueryParameter => ({ name, type: 'integer', description });

const dryRun = text('dryRun', 'With the value All nothing is stored.');
const writeQuery = [
  dryRun,
  text('fieldManager', 'Name of who makes the change.'),
  text('fieldValidation', 'What happens to unknown fields: Ignore, Warn or Strict.'),
];
const patchQuery = [...writeQuery, switchOf('force', 'Take over fields that others manage; only for apply patches.')];
const listQuery = [
  switchOf('allowWatchBookmarks', 'Ask for BOOKMARK events.'),
  text('continue', 'Where a list in pages goes on.'),
  text('fieldSelector', 'Restricts the answer by fields.'),
  text('labelSelector', 'Restricts the answer by labels.'),
  numberOf('limit', 'Most items in one answer.'),
  text('resourceVersion', 'Version to read at or watch from.'),
  text('resourceVersionMatch', 'How resourceVersion is meant: Exact or NotOlderThan.'),
  switchOf('sendInitialEvents', 'Begin a watch with the present state.'),
  numberOf('timeoutSeconds', 'How long a list or watch may last.'),
  switchOf('watch', 'Answer changes as they happen.'),
];
const deleteQuery = [
  dryRun,
  numberOf('gracePeriodSeconds', 'Seconds the object has to end.'),
  text('propagationPolicy', 'What becomes of dependents: Orphan, Background or Foreground.'),
];

export const deleteOptionsSchema = 'io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions';
export const patchSchema = 'io.k8s.apimachinery.pkg.apis.meta.v1.Patch';
export const statusSchema = 'io.k8s.apimachinery.pkg.apis.meta.v1.Status';

const actions = { get: 'get', post: 'post', put: 'put', patch: 'patch', delete: 'delete' } as const;
const subresourceMethods: Readonly<Record<string, Operation['method']>> = {
  get: 'get',
  update: 'put',
  patch: 'patch',
  create: 'post',
};

function basePath(kind: Kind): string {
  return kind.group ? `/apis/${kind.group}/${kind.version}` : `/api/${kind.version}`;
}

function idPart(kind: Kind): string {
  const capital = (word: string) => word.charAt(0).toUpperCase() + word.slice(1);
  const group = kind.group ? kind.group.split('.')[0]! : 'core';
  return `${capital(group)}${capital(kind.version)}${kind.namespaced ? 'Namespaced' : ''}${kind.kind}`;
}

/** Every operation a kind has, subresources included. */
export function operationsOf(kind: Kind): Operation[] {
  const { group, version } = kind;
  const gvk = { group, version, kind: kind.kind };
  const base = basePath(kind);
  const collection = kind.namespaced ? `${base}/namespaces/{namespace}/${kind.plural}` : `${base}/${kind.plural}`;
  const item = `${collection}/{name}`;
  const scope = kind.namespaced ? ['namespace'] : [];
  const part = idPart(kind);
  const shared = { group, version, gvk };
  const onCollection = { ...shared, path: collection, pathParameters: scope };
  const onItem = { ...shared, path: item, pathParameters: ['name', ...scope] };
  const list = `${kind.schema}List`;
  const operations: Operation[] = [
    { ...onCollection, method: 'get', action: 'list', id: `list${part}`, query: listQuery, answer: list },
    {
      ...onCollection,
      method: 'post',
      action: 'post',
      id: `create${part}`,
      query: writeQuery,
      body: kind.schema,
      answer: kind.schema,
    },
    {
      ...onCollection,
      method: 'delete',
      action: 'deletecollection',
      id: `deleteCollection${part}`,
      query: [...listQuery, ...deleteQuery],
      body: deleteOptionsSchema,
      answer: statusSchema,
    },
    { ...onItem, method: 'get', action: 'get', id: `read${part}`, query: [], answer: kind.schema },
    {
      ...onItem,
      method: 'put',
      action: 'put',
      id: `replace${part}`,
      query: writeQuery,
      body: kind.schema,
      answer: kind.schema,
    },
    {
      ...onItem,
      method: 'patch',
      action: 'patch',
      id: `patch${part}`,
      query: patchQuery,
      body: patchSchema,
      answer: kind.schema,
    },
    {
      ...onItem,
      method: 'delete',
      action: 'delete',
      id: `delete${part}`,
      query: deleteQuery,
      body: deleteOptionsSchema,
      answer: statusSchema,
    },
  ];
  if (kind.namespaced) {
    const id = `list${part.replace('Namespaced', '')}ForAllNamespaces`;
    const path = `${base}/${kind.plural}`;
    operations.push({
      ...shared,
      path,
      pathParameters: [],
      method: 'get',
      action: 'list',
      id,
      query: listQuery,
      answer: list,
    });
  }
  for (const { name, subresource } of subresourcesOf(kind)) {
    const body = subresource.bodyKind(kind);
    const suffix = name.charAt(0).toUpperCase() + name.slice(1);
    for (const verb of subresource.verbs) {
      const method = subresourceMethods[verb]!;
      operations.push({
        ...onItem,
        gvk: { group: body.group, version: body.version, kind: body.kind },
        path: `${item}/${name}`,
        method,
        action: actions[method],
        id: `${verb}${part}${suffix}`,
        query: method === 'get' ? [] : method === 'patch' ? patchQuery : writeQuery,
        ...(method === 'get' ? {} : { body: method === 'patch' ? patchSchema : body.schema }),
        answer: body.schema,
      });
    }
  }
  return operations;
}

/** The definitions the operations name. */
export function schemasOf(operations: readonly Operation[]): string[] {
  return [...new Set(operations.flatMap(({ body, answer }) => (body ? [body, answer] : [answer])))];
}
