// Reviews: kinds that are asked and not stored. What the asker may do, and who the asker is.

import type { KubeObject } from '../../api';
import type { Authorizer } from '../authz/authorizer';
import type { Call } from '../registry/call';
import { checkFields, checkTypeMeta } from '../registry/decode';
import { badRequest } from '../status/errors';
import { type Answer, answerOf, type BodyKind } from './subresource';

interface Review {
  kind: BodyKind;
  answer(body: KubeObject, call: Call, authorizer: Authorizer): object;
}

interface AccessReviewSpec {
  resourceAttributes?: Partial<
    Record<'namespace' | 'verb' | 'group' | 'version' | 'resource' | 'subresource' | 'name', string>
  >;
  nonResourceAttributes?: { path?: string; verb?: string };
}

function access(body: KubeObject, { user }: Call, authorizer: Authorizer): object {
  const { spec } = body as KubeObject & { spec?: AccessReviewSpec };
  const { resourceAttributes: wanted, nonResourceAttributes: path } = spec ?? {};
  if (!wanted === !path) {
    throw badRequest('exactly one of spec.resourceAttributes and spec.nonResourceAttributes must be set');
  }
  if (path) {
    const allowed = authorizer.allowsPath({ user, verb: path.verb ?? '', path: path.path ?? '' });
    return { spec, status: { allowed } };
  }
  const { namespace = '', verb = '', group = '', version = '', resource = '', subresource = '', name = '' } = wanted!;
  const allowed = authorizer.allowsResource({ user, namespace, verb, group, version, resource, subresource, name });
  return { spec, status: { allowed } };
}

const reviews: Readonly<Record<string, Review>> = {
  'authorization.k8s.io/v1/selfsubjectaccessreviews': {
    kind: {
      group: 'authorization.k8s.io',
      version: 'v1',
      kind: 'SelfSubjectAccessReview',
      schema: 'io.k8s.api.authorization.v1.SelfSubjectAccessReview',
    },
    answer: access,
  },
  'authentication.k8s.io/v1/selfsubjectreviews': {
    kind: {
      group: 'authentication.k8s.io',
      version: 'v1',
      kind: 'SelfSubjectReview',
      schema: 'io.k8s.api.authentication.v1.SelfSubjectReview',
    },
    answer: (_body, { user }) => ({
      status: { userInfo: { username: user.name, uid: user.uid, groups: user.groups } },
    }),
  },
};

/** The review served at an address, if any. */
export function reviewOf(address: { group: string; version: string; resource: string }): Review | undefined {
  const key = `${address.group}/${address.version}/${address.resource}`;
  return Object.hasOwn(reviews, key) ? reviews[key] : undefined;
}

/** Answers a review; 201 as for every creation. */
export function answerReview(review: Review, request: { body: unknown; call: Call; authorizer: Authorizer }): Answer {
  const { body, call, authorizer } = request;
  checkTypeMeta(body, review.kind, true);
  checkFields(body, review.kind, call);
  const { group, version, kind } = review.kind;
  const answer = review.answer(body, call, authorizer);
  return answerOf({ kind, apiVersion: `${group}/${version}`, metadata: {}, ...answer }, 201);
}
