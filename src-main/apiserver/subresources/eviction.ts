// pods/eviction: deletion of a Pod by way of policy. Disruption budgets are asked here once they are served.

import type { KubeObject } from '../../api';
import { checkFields, checkTypeMeta } from '../registry/decode';
import { deleteObject, type Deletion } from '../registry/deletion';
import { badRequest } from '../status/errors';
import { answerOf, type BodyKind, type Subresource } from './subresource';

const evictionKind: BodyKind = {
  group: 'policy',
  version: 'v1',
  kind: 'Eviction',
  schema: 'io.k8s.api.policy.v1.Eviction',
};

interface Eviction extends KubeObject {
  deleteOptions?: Deletion;
}

export const evictionSubresource: Subresource = {
  bodyKind: () => evictionKind,
  verbs: ['create'],
  async create({ registry, namespace, name, call }, body) {
    checkTypeMeta(body, evictionKind, true);
    checkFields(body, evictionKind, call);
    const eviction = body as Eviction;
    if (eviction.metadata?.name && eviction.metadata.name !== name) {
      throw badRequest(`name in URL does not match name in Eviction object: ${name} != ${eviction.metadata.name}`);
    }
    await deleteObject(registry, { namespace, name, options: eviction.deleteOptions ?? {} }, call);
    return answerOf(
      { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 } as KubeObject,
      201,
    );
  },
};
