import { describe, expect, it } from 'vitest';
import { decodeErrorMessage, pruneUnknown, strictDecodeMessage } from './decode';

const deployment = 'io.k8s.api.apps.v1.Deployment';

it('drops unknown fields at any depth and names them', () => {
  const value = {
    bogus: 1,
    metadata: { name: 'x', labels: { free: 'form' } },
    spec: { template: { foo: 1, spec: { containers: [{ name: 'a', imagee: 'x' }] } } },
  };
  const { unknownFields, typeErrors } = pruneUnknown(deployment, value);
  expect(unknownFields).toEqual(['bogus', 'spec.template.foo', 'spec.template.spec.containers[0].imagee']);
  expect(typeErrors).toEqual([]);
  expect(value).toEqual({
    metadata: { name: 'x', labels: { free: 'form' } },
    spec: { template: { spec: { containers: [{ name: 'a' }] } } },
  });
  expect(strictDecodeMessage(unknownFields.slice(0, 1))).toBe('strict decoding error: unknown field "bogus"');
});

it('is not fooled by members every object inherits', () => {
  const value = JSON.parse('{"spec":{"constructor":1,"__proto__":{"x":1}}}') as object;
  expect(pruneUnknown(deployment, value).unknownFields).toEqual(['spec.constructor', 'spec.__proto__']);
});

it('drops nulls and makes quantities and times canonical', () => {
  const pod = {
    metadata: { creationTimestamp: null, deletionTimestamp: '2026-01-01T02:00:00.5+02:00' },
    spec: { containers: [{ name: 'a', resources: { limits: { cpu: 0.5, memory: '1024Mi' } } }], volumes: null },
  };
  pruneUnknown('io.k8s.api.core.v1.Pod', pod);
  expect(pod).toEqual({
    metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' },
    spec: { containers: [{ name: 'a', resources: { limits: { cpu: '500m', memory: '1Gi' } } }] },
  });
  const lease = { spec: { renewTime: '2026-01-01T00:00:00.1234567Z' } };
  pruneUnknown('io.k8s.api.coordination.v1.Lease', lease);
  expect(lease.spec.renewTime).toBe('2026-01-01T00:00:00.123456Z');
});

it('treats undefined members of in-process objects as absent', () => {
  const value = {
    metadata: { name: 'x', labels: { gone: undefined } },
    spec: { minReadySeconds: undefined },
    bogus: undefined,
  };
  expect(pruneUnknown(deployment, value)).toEqual({ unknownFields: [], typeErrors: [] });
  expect(Object.keys(value)).toEqual(['metadata', 'spec']);
  expect([Object.keys(value.spec), Object.keys(value.metadata.labels)]).toEqual([[], []]);
});

describe('type errors', () => {
  it.each([
    [
      { spec: { replicas: '3' } },
      'spec.replicas',
      'json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32',
    ],
    [
      { spec: { replicas: 1.5 } },
      'spec.replicas',
      'json: cannot unmarshal number 1.5 into Go struct field DeploymentSpec.spec.replicas of type int32',
    ],
    [
      { spec: { replicas: 2 ** 31 } },
      'spec.replicas',
      'json: cannot unmarshal number 2147483648 into Go struct field DeploymentSpec.spec.replicas of type int32',
    ],
    [
      { spec: { paused: 'no' } },
      'spec.paused',
      'json: cannot unmarshal string into Go struct field DeploymentSpec.spec.paused of type bool',
    ],
    [
      { spec: [] },
      'spec',
      'json: cannot unmarshal array into Go struct field Deployment.spec of type v1.DeploymentSpec',
    ],
    [
      { metadata: { labels: { a: 1 } } },
      'metadata.labels.a',
      'json: cannot unmarshal number into Go struct field ObjectMeta.metadata.labels of type string',
    ],
    [
      { spec: { template: { spec: { containers: {} } } } },
      'spec.template.spec.containers',
      'json: cannot unmarshal object into Go struct field PodSpec.spec.template.spec.containers of type []v1.Container',
    ],
    [
      { spec: { template: { spec: { containers: [{ resources: { limits: { cpu: 'lots' } } }] } } } },
      'spec.template.spec.containers[0].resources.limits.cpu',
      "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
    ],
  ])('%j', (value, field, detail) => {
    expect(pruneUnknown(deployment, value).typeErrors).toEqual([expect.objectContaining({ field, detail })]);
  });

  it('reads as upstream answers it', () => {
    const { typeErrors } = pruneUnknown(deployment, { spec: { replicas: 'x' } });
    expect(decodeErrorMessage('Deployment', 'v1', typeErrors)).toBe(
      'Deployment in version "v1" cannot be handled as a Deployment: json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32',
    );
  });

  it('checks base64', () => {
    const { typeErrors } = pruneUnknown('io.k8s.api.core.v1.Secret', { data: { a: 'QQ==', b: 'no!!' } });
    expect(typeErrors.map(({ detail }) => detail)).toEqual(['illegal base64 data at input byte 2']);
  });

  it('takes numbers and names as ports', () => {
    const spec = {
      ports: [
        { port: 1, targetPort: 'http' },
        { port: 2, targetPort: 80 },
      ],
    };
    expect(pruneUnknown('io.k8s.api.core.v1.Service', { spec }).typeErrors).toEqual([]);
  });
});
