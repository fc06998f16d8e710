import { describe, expect, it } from 'vitest';
import { formatFieldError } from './field-error';
import type { ObjectMeta } from './meta';
import { keepServerOwnedMeta, validateObjectMeta, validateObjectMetaUpdate } from './metadata-validation';

function problems(meta: ObjectMeta, namespaced = true): string[] {
  return validateObjectMeta(meta, { namespaced }).map(formatFieldError);
}

const owner = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'a', uid: 'u' };

describe('creation', () => {
  it.each<[string, ObjectMeta, RegExp[]]>([
    ['complete', { name: 'a', namespace: 'default', labels: { 'a.b/c': 'D_1' }, ownerReferences: [owner] }, []],
    ['no name', { namespace: 'x' }, [/^metadata.name: Required value: name or generateName is required$/]],
    ['bad name', { name: 'A', namespace: 'x' }, [/^metadata.name: Invalid value: "A": a lowercase RFC 1123 subdomain/]],
    ['good prefix', { name: 'web-x', generateName: 'web-', namespace: 'x' }, []],
    ['bad prefix', { name: 'web-x', generateName: 'Web-', namespace: 'x' }, [/^metadata.generateName: Invalid value/]],
    ['no namespace', { name: 'a' }, [/^metadata.namespace: Required value$/]],
    [
      'bad label key',
      { name: 'a', namespace: 'x', labels: { '-': '' } },
      [/^metadata.labels: Invalid value: "-": name part must/],
    ],
    [
      'bad label value',
      { name: 'a', namespace: 'x', labels: { a: 'b c' } },
      [/^metadata.labels: Invalid value: "b c": a valid label/],
    ],
    [
      'huge annotations',
      { name: 'a', namespace: 'x', annotations: { a: 'x'.repeat(262_145) } },
      [/^metadata.annotations: Too long: may not be more than 262144 bytes$/],
    ],
    [
      'odd finalizer',
      { name: 'a', namespace: 'x', finalizers: ['mine'] },
      [/name is neither a standard finalizer name nor is it fully qualified$/],
    ],
    [
      'two controllers',
      {
        name: 'a',
        namespace: 'x',
        ownerReferences: [
          { ...owner, controller: true },
          { ...owner, name: 'b', controller: true },
        ],
      },
      [/Only one reference can have Controller set to true/],
    ],
    [
      'owner without uid',
      { name: 'a', namespace: 'x', ownerReferences: [{ ...owner, uid: '' }] },
      [/^metadata.ownerReferences.uid: Invalid value: "": uid must not be empty$/],
    ],
  ])('%s', (_title, meta, expected) => {
    const actual = problems(meta);
    expect(actual).toHaveLength(expected.length);
    for (const [index, pattern] of expected.entries()) expect(actual[index]).toMatch(pattern);
  });

  it('forbids a namespace where there is none', () => {
    expect(problems({ name: 'a', namespace: 'x' }, false)).toEqual([
      'metadata.namespace: Forbidden: not allowed on this type',
    ]);
  });
});

describe('updates', () => {
  const old: ObjectMeta = {
    name: 'a',
    namespace: 'x',
    uid: 'u',
    creationTimestamp: '2026-01-01T00:00:00Z',
    generation: 2,
  };

  it('accepts what the server owns when it is left out', () => {
    const meta: ObjectMeta = { name: 'a', namespace: 'x', generation: 2 };
    keepServerOwnedMeta(meta, old);
    expect(validateObjectMetaUpdate(meta, old)).toEqual([]);
    expect(meta).toEqual(old);
  });

  it.each<[Partial<ObjectMeta>, string]>([
    [{ uid: 'v' }, 'metadata.uid: Invalid value: "v": field is immutable'],
    [{ name: 'b' }, 'metadata.name: Invalid value: "b": field is immutable'],
    [{ generation: 1 }, 'metadata.generation: Invalid value: 1: must not be decremented'],
  ])('refuses %j', (change, message) => {
    expect(validateObjectMetaUpdate({ ...old, ...change }, old).map(formatFieldError)).toEqual([message]);
  });

  it('refuses new finalizers on what is being deleted', () => {
    const deleting = { ...old, deletionTimestamp: '2026-01-01T00:00:00Z', finalizers: ['a/b'] };
    const errors = validateObjectMetaUpdate({ ...deleting, finalizers: ['a/b', 'c/d'] }, deleting);
    expect(errors.map(formatFieldError)).toEqual([
      'metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{"c/d"}',
    ]);
  });
});
