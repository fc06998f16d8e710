// The scale subresource: autoscaling/v1 Scale made of a workload, and its replicas written back.

import { fieldError, type Kind, type KubeObject } from '../../api';
import type { Entry } from '../registry/codec';
import { checkFields, checkTypeMeta } from '../registry/decode';
import { badRequest, invalid, modifiedConflict } from '../status/errors';
import { answerOf, nextState, type BodyKind, type Subresource } from './subresource';

const scaleKind: BodyKind = {
  group: 'autoscaling',
  version: 'v1',
  kind: 'Scale',
  schema: 'io.k8s.api.autoscaling.v1.Scale',
};

interface Scale extends KubeObject {
  spec?: { replicas?: number };
  status?: { replicas: number; selector?: string };
}

function scaleOf(kind: Kind, object: KubeObject): Scale {
  const scale = kind.scale!;
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata;
  return {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: { name, namespace, uid, resourceVersion, creationTimestamp },
    spec: { replicas: scale.specReplicas(object) },
    status: { replicas: scale.statusReplicas(object), selector: scale.selector(object) },
  };
}

export const scaleSubresource: Subresource = {
  bodyKind: () => scaleKind,
  verbs: ['get', 'patch', 'update'],
  async get({ registry, namespace, name }) {
    return answerOf(scaleOf(registry.kind, (await registry.reader.get(namespace, name)).object));
  },
  async write({ registry, namespace, name, call }, change) {
    const { kind } = registry;
    const transform = (current: Entry): KubeObject => {
      const document = answerOf(scaleOf(kind, current.object)).bytes;
      const body = nextState(change, document, { ...scaleKind, name });
      checkTypeMeta(body, scaleKind, true);
      checkFields(body, scaleKind, call);
      const scale = body as Scale;
      if (scale.metadata?.name && scale.metadata.name !== name) {
        throw badRequest(
          `the name of the object (${scale.metadata.name}) does not match the name on the URL (${name})`,
        );
      }
      const version = scale.metadata?.resourceVersion;
      if (version && version !== current.object.metadata.resourceVersion) throw modifiedConflict(kind, name);
      const replicas = scale.spec?.replicas ?? 0;
      if (replicas < 0) {
        throw invalid(scaleKind, name, [
          fieldError.invalid('spec.replicas', replicas, 'must be greater than or equal to 0'),
        ]);
      }
      const draft = JSON.parse(current.bytes.toString('utf8')) as KubeObject;
      kind.scale!.setSpecReplicas(draft, replicas);
      return draft;
    };
    const entry = await registry.modify({ namespace, name, transform }, call);
    return answerOf(scaleOf(kind, entry.object));
  },
};
