import { describe, expect, it } from 'vitest';
import { applyStrategicMergePatch } from './strategic-merge-patch';

const pod = 'io.k8s.api.core.v1.Pod';
const deployment = 'io.k8s.api.apps.v1.Deployment';
const a = { name: 'a', image: 'a:1' };
const b = { name: 'b', image: 'b:1' };
const c = { name: 'c', image: 'c:1' };

function containers(...list: object[]): { spec: { containers: object[] } } {
  return { spec: { containers: list } };
}

describe('lists with a merge key', () => {
  it.each([
    [
      'merges by name',
      containers(a, b),
      containers({ name: 'b', image: 'b:2' }),
      containers(a, { name: 'b', image: 'b:2' }),
    ],
    ['puts new elements before those of others', containers(a), containers(b), containers(b, a)],
    ['deletes by directive', containers(a, b), containers({ name: 'a', $patch: 'delete' }), containers(b)],
    ['replaces by directive', containers(a, b), containers(c, { $patch: 'replace' }), containers(c)],
    ['creates the list', { spec: {} }, containers(a), containers(a)],
    [
      'drops deletions of a list that is not there',
      { spec: {} },
      containers({ name: 'a', $patch: 'delete' }),
      containers(),
    ],
    [
      'orders by $setElementOrder',
      containers(a, b, c),
      { spec: { '$setElementOrder/containers': [{ name: 'c' }, { name: 'a' }, { name: 'b' }] } },
      containers(c, a, b),
    ],
    [
      'keeps elements of others in their place',
      containers(a, b, c),
      {
        spec: {
          '$setElementOrder/containers': [{ name: 'c' }, { name: 'a' }],
          containers: [{ name: 'c', image: 'c:2' }],
        },
      },
      containers(b, { name: 'c', image: 'c:2' }, a),
    ],
    [
      'removes nested members by null',
      containers({ ...a, command: ['x'], args: ['y'] }),
      containers({ name: 'a', command: null, args: ['z'] }),
      containers({ ...a, args: ['z'] }),
    ],
    [
      'merges nested lists by their own keys',
      containers({
        ...a,
        env: [
          { name: 'X', value: '1' },
          { name: 'Y', value: '2' },
        ],
      }),
      containers({
        name: 'a',
        env: [
          { name: 'Y', value: '3' },
          { name: 'Z', value: '4' },
        ],
      }),
      containers({
        ...a,
        env: [
          { name: 'X', value: '1' },
          { name: 'Y', value: '3' },
          { name: 'Z', value: '4' },
        ],
      }),
    ],
  ])('%s', (_title, document, patch, expected) => {
    const before = structuredClone([document, patch]);
    expect(applyStrategicMergePatch(document, patch, pod)).toEqual(expected);
    expect([document, patch]).toEqual(before);
  });
});

describe('other members', () => {
  it.each([
    [
      'scalars',
      pod,
      { spec: { nodeName: 'a' } },
      { spec: { nodeName: 'b', hostNetwork: true } },
      { spec: { nodeName: 'b', hostNetwork: true } },
    ],
    [
      'null removes',
      pod,
      { metadata: { labels: { a: '1', b: '2' } } },
      { metadata: { labels: { a: null } } },
      { metadata: { labels: { b: '2' } } },
    ],
    ['null of nothing', pod, {}, { spec: { nodeName: null } }, { spec: {} }],
    [
      'atomic lists are replaced',
      pod,
      { spec: { tolerations: [{ key: 'a' }] } },
      { spec: { tolerations: [{ key: 'b' }] } },
      { spec: { tolerations: [{ key: 'b' }] } },
    ],
    [
      'sets are joined',
      pod,
      { metadata: { finalizers: ['a/a', 'b/b'] } },
      { metadata: { finalizers: ['c/c', 'a/a'] } },
      { metadata: { finalizers: ['c/c', 'a/a', 'b/b'] } },
    ],
    [
      'set elements are removed',
      pod,
      { metadata: { finalizers: ['a/a', 'b/b'] } },
      { metadata: { '$deleteFromPrimitiveList/finalizers': ['a/a'] } },
      { metadata: { finalizers: ['b/b'] } },
    ],
    [
      'maps are replaced by directive',
      pod,
      { metadata: { labels: { a: '1' } } },
      { metadata: { labels: { $patch: 'replace', b: '2' } } },
      { metadata: { labels: { b: '2' } } },
    ],
    [
      'maps are emptied by directive',
      pod,
      { metadata: { labels: { a: '1' } } },
      { metadata: { labels: { $patch: 'delete' } } },
      { metadata: { labels: {} } },
    ],
    [
      'retainKeys drops what is not listed',
      deployment,
      { spec: { strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1 } } } },
      { spec: { strategy: { $retainKeys: ['type'], type: 'Recreate' } } },
      { spec: { strategy: { type: 'Recreate' } } },
    ],
    [
      'volumes change their source',
      pod,
      { spec: { volumes: [{ name: 'v', emptyDir: {} }] } },
      { spec: { volumes: [{ name: 'v', $retainKeys: ['name', 'hostPath'], hostPath: { path: '/x' } }] } },
      { spec: { volumes: [{ name: 'v', hostPath: { path: '/x' } }] } },
    ],
  ])('%s', (_title, schema, document, patch, expected) => {
    expect(applyStrategicMergePatch(document, patch, schema)).toEqual(expected);
  });
});

describe('refusals', () => {
  it.each([
    [
      'PATCH_FAILED',
      containers(a),
      containers({ image: 'x' }),
      'map: {"image":"x"} does not contain declared merge key: name',
    ],
    [
      'PATCH_MALFORMED',
      containers(a),
      containers({ name: 'a', $patch: 'shake' }),
      'unknown patch type: shake in map: {"name":"a","$patch":"shake"}',
    ],
    [
      'PATCH_MALFORMED',
      containers(a),
      { spec: { '$setElementOrder/containers': 1 } },
      'invalid patch format of setElementOrder list',
    ],
    [
      'PATCH_MALFORMED',
      {},
      { metadata: { '$deleteFromPrimitiveList/finalizers': 'a' } },
      'invalid patch format of primitive list',
    ],
    ['PATCH_MALFORMED', {}, { spec: { $retainKeys: ['a'], b: 1 } }, 'invalid patch format of retainKeys'],
    ['PATCH_MALFORMED', containers(a), [], 'invalid JSON document'],
  ])('%s %#', (code, document, patch, message) => {
    expect(() => applyStrategicMergePatch(document, patch, pod)).toThrow(expect.objectContaining({ code, message }));
  });

  it('an order list that contradicts the patch', () => {
    const patch = { spec: { '$setElementOrder/containers': [{ name: 'b' }, { name: 'a' }], containers: [a, b] } };
    expect(() => applyStrategicMergePatch(containers(a, b), patch, pod)).toThrow(
      /doesn't match \$setElementOrder list/,
    );
  });
});
