// pods/binding: the scheduler's one write. It may happen once in a Pod's life.

import { type Binding, fieldError, formatTime, type KubeObject, type Pod } from '../../api';
import { checkFields, checkTypeMeta } from '../registry/decode';
import { conflict, invalid } from '../status/errors';
import { answerOf, type BodyKind, type Subresource } from './subresource';

const bindingKind: BodyKind = { group: '', version: 'v1', kind: 'Binding', schema: 'io.k8s.api.core.v1.Binding' };

function checkTarget(binding: Binding, name: string): string {
  const errors = [];
  const { target } = binding;
  if (target?.kind && target.kind !== 'Node')
    errors.push(fieldError.notSupported('target.kind', target.kind, ['Node', '<empty>']));
  if (!target?.name) errors.push(fieldError.required('target.name'));
  if (errors.length > 0) throw invalid(bindingKind, name, errors);
  return target.name!;
}

export const bindingSubresource: Subresource = {
  bodyKind: () => bindingKind,
  verbs: ['create'],
  async create({ registry, namespace, name, call }, body) {
    checkTypeMeta(body, bindingKind, true);
    checkFields(body, bindingKind, call);
    const binding = body as Binding;
    const node = checkTarget(binding, name);
    await registry.modify(
      {
        namespace,
        name,
        subresource: 'binding',
        transform: (current) => {
          const pod = JSON.parse(current.bytes.toString('utf8')) as Pod;
          const { uid } = binding.metadata ?? {};
          if (uid && uid !== pod.metadata.uid) {
            throw conflict(
              registry.kind,
              name,
              `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${pod.metadata.uid}`,
            );
          }
          if (pod.metadata.deletionTimestamp)
            throw conflict(registry.kind, name, `pod ${name} is being deleted, cannot be assigned to a host`);
          if (pod.spec.nodeName)
            throw conflict(registry.kind, name, `pod ${name} is already assigned to node "${pod.spec.nodeName}"`);
          pod.spec.nodeName = node;
          const annotations = binding.metadata?.annotations;
          if (annotations) pod.metadata.annotations = { ...pod.metadata.annotations, ...annotations };
          pod.status ??= {};
          const others = (pod.status.conditions ?? []).filter((condition) => condition.type !== 'PodScheduled');
          const scheduled = { type: 'PodScheduled', status: 'True', lastTransitionTime: formatTime(registry.now()) };
          pod.status.conditions = [...others, scheduled];
          return pod as KubeObject;
        },
        prepare: () => undefined,
        validate: 'none',
      },
      call,
    );
    return answerOf(
      { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 } as KubeObject,
      201,
    );
  },
};
