import { describe, expect, it } from 'vitest';
import { findKind, type KubeObject } from '../../api';
import { Codec } from './codec';

const codec = new Codec(findKind('apps', 'v1', 'deployments')!);
const object = { spec: { replicas: 2 }, metadata: { name: 'é', namespace: 'a', resourceVersion: '7' } } as KubeObject;

describe('Codec', () => {
  it('stores kind and apiVersion first and no resourceVersion', () => {
    expect(codec.encode(object).toString()).toBe(
      '{"kind":"Deployment","apiVersion":"apps/v1","metadata":{"name":"é","namespace":"a"},"spec":{"replicas":2}}',
    );
  });

  it('splices the version in, out and over without touching the rest', () => {
    const value = codec.encode(object);
    const entry = codec.entry({ key: 'k', value, revision: 123 });
    expect(JSON.parse(entry.bytes.toString())).toEqual(entry.object);
    expect(entry.object.metadata.resourceVersion).toBe('123');
    expect(codec.storedBytes(entry).equals(value)).toBe(true);
    const later = codec.atRevision(entry, 99999);
    expect(JSON.parse(later.bytes.toString())).toEqual(later.object);
    expect(later.object.metadata.resourceVersion).toBe('99999');
    expect(Object.isFrozen(entry.object.metadata)).toBe(true);
  });

  it('reads values that another writer laid out differently', () => {
    const value = Buffer.from('{ "metadata": {"name":"x"}, "apiVersion":"apps/v1","kind":"Deployment"}');
    const entry = codec.entry({ key: 'k', value, revision: 5 });
    expect(JSON.parse(entry.bytes.toString())).toMatchObject({ metadata: { name: 'x', resourceVersion: '5' } });
  });
});
