// namespaces/finalize: the only way to change a Namespace's spec.finalizers. When the last one goes and the Namespace is
// being deleted, it is gone.

import type { KubeObject, Namespace } from '../../api';
import { decodeObject } from '../registry/decode';
import { nextState, type Subresource } from './subresource';

export const finalizeSubresource: Subresource = {
  bodyKind: (kind) => kind,
  verbs: ['update'],
  write({ registry, namespace, name, call }, change) {
    const { kind } = registry;
    return registry.modify(
      {
        namespace,
        name,
        subresource: 'finalize',
        transform: (current) => {
          const body = nextState(change, current.bytes, { ...kind, name });
          return decodeObject(kind, body, { call, place: { namespace, name }, lenient: true });
        },
        prepare: (draft: KubeObject, old: KubeObject) => {
          (draft as Namespace).status = (old as Namespace).status;
        },
        validate: 'none',
      },
      call,
    );
  },
};
