// Authorization: who may do what. One small interface; the chain asks each authorizer until one allows. Role-based
// access control will be one more link of the same chain.

import type { User } from '../authn/user';
import { forbidden, forbiddenPath } from '../status/errors';
import type { ApiError } from '../../client';

export interface ResourceAttributes {
  user: User;
  /** get, list, watch, create, update, patch, delete, deletecollection */
  verb: string;
  group: string;
  version: string;
  resource: string;
  subresource: string;
  namespace: string;
  name: string;
}

export interface PathAttributes {
  user: User;
  /** The HTTP method in lower case. */
  verb: string;
  path: string;
}

export interface Authorizer {
  /** True = allowed; false = no opinion, which in the end is a refusal. */
  allowsResource(attributes: ResourceAttributes): boolean;
  allowsPath(attributes: PathAttributes): boolean;
}

/** Allows what any of its links allows. */
export function anyOf(links: readonly Authorizer[]): Authorizer {
  return {
    allowsResource: (attributes) => links.some((link) => link.allowsResource(attributes)),
    allowsPath: (attributes) => links.some((link) => link.allowsPath(attributes)),
  };
}

/** The 403 answer with upstream's wording. */
export function refusal(attributes: ResourceAttributes): ApiError {
  const { user, verb, group, resource, subresource, namespace, name } = attributes;
  const what = subresource ? `${resource}/${subresource}` : resource;
  const scope = namespace && resource !== 'namespaces' ? `in the namespace "${namespace}"` : 'at the cluster scope';
  const why = `User "${user.name}" cannot ${verb} resource "${what}" in API group "${group}" ${scope}`;
  return forbidden({ group, kind: resource, plural: resource }, name, why);
}

export function pathRefusal({ user, verb, path }: PathAttributes): ApiError {
  return forbiddenPath(`User "${user.name}" cannot ${verb} path "${path}"`);
}
