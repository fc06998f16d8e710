import { describe, expect, it } from 'vitest';
import { resources } from '../api';
import { jsonLines } from './json-lines';
import { objectKey, resourcePath, splitKey } from './resource-path';

describe('resource paths', () => {
  it.each([
    [resources.pods, {}, '/api/v1/pods'],
    [resources.pods, { namespace: 'a' }, '/api/v1/namespaces/a/pods'],
    [resources.pods, { namespace: 'a', name: 'p', subresource: 'log' }, '/api/v1/namespaces/a/pods/p/log'],
    [resources.deployments, { namespace: 'a', name: 'd' }, '/apis/apps/v1/namespaces/a/deployments/d'],
    [resources.nodes, { namespace: 'ignored', name: 'n' }, '/api/v1/nodes/n'],
  ])('%o %o', (resource, target, path) => {
    expect(resourcePath(resource, target)).toBe(path);
  });

  it('refuses a namespaced name without a namespace', () => {
    expect(() => resourcePath(resources.pods, { name: 'p' })).toThrow('without its namespace');
  });

  it('splits the keys it makes', () => {
    expect(splitKey(objectKey({ metadata: { namespace: 'a', name: 'b' } }))).toEqual({ namespace: 'a', name: 'b' });
    expect(splitKey(objectKey({ metadata: { name: 'b' } }))).toEqual({ name: 'b' });
  });
});

describe('JSON lines', () => {
  it('joins documents that are split anywhere, and drops an unfinished one', async () => {
    const bytes = Buffer.from('{"a":"ä€😀"}\n\n{"b":2}\n{"c":');
    for (let size = 1; size <= bytes.length; size++) {
      const chunks = async function* () {
        for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
      };
      const found: unknown[] = [];
      for await (const line of jsonLines(chunks())) found.push(line);
      expect(found).toEqual([{ a: 'ä€😀' }, { b: 2 }]);
    }
  });
});
