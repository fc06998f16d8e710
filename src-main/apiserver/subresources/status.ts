// The status subresource: same body as the object, only status (and some metadata) changes.

import { decodeObject } from '../registry/decode';
import { nextState, type Subresource } from './subresource';

export const statusSubresource: Subresource = {
  bodyKind: (kind) => kind,
  verbs: ['get', 'patch', 'update'],
  get: ({ registry, namespace, name }) => registry.reader.get(namespace, name),
  write({ registry, namespace, name, call }, change) {
    const { kind } = registry;
    return registry.modify(
      {
        namespace,
        name,
        subresource: 'status',
        transform: (current) => {
          const body = nextState(change, current.bytes, { ...kind, name });
          return decodeObject(kind, body, { call, place: { namespace, name }, lenient: change.type === 'patch' });
        },
        prepare: (draft, old) => kind.status!.prepareForUpdate(draft, old),
        validate: 'status',
      },
      call,
    );
  },
};
