import { describe, expect, it } from 'vitest';
import { parseResourcePath } from './path';

const base = { group: '', version: 'v1', namespace: '', resource: '', name: '', subresource: '' };

describe('parseResourcePath', () => {
  it.each([
    ['/api/v1/pods', { ...base, resource: 'pods' }],
    ['/api/v1/namespaces', { ...base, resource: 'namespaces' }],
    ['/api/v1/namespaces/a', { ...base, namespace: 'a', resource: 'namespaces', name: 'a' }],
    [
      '/api/v1/namespaces/a/finalize',
      { ...base, namespace: 'a', resource: 'namespaces', name: 'a', subresource: 'finalize' },
    ],
    ['/api/v1/namespaces/a/pods', { ...base, namespace: 'a', resource: 'pods' }],
    ['/api/v1/namespaces/a/pods/p/log', { ...base, namespace: 'a', resource: 'pods', name: 'p', subresource: 'log' }],
    [
      '/apis/apps/v1/namespaces/a/deployments/d%2Fe',
      { ...base, group: 'apps', namespace: 'a', resource: 'deployments', name: 'd/e' },
    ],
    ['/api/v1/nodes/n/proxy/a/b', { ...base, resource: 'nodes', name: 'n', subresource: 'proxy/a/b' }],
  ])('%s', (path, expected) => {
    expect(parseResourcePath(path)).toEqual(expected);
  });

  it.each(['/', '/api', '/api/v1', '/apis/apps', '/apis/apps/v1', '/healthz', '/api/v1/pods/%zz'])(
    '%s is not a resource path',
    (path) => {
      expect(parseResourcePath(path)).toBeUndefined();
    },
  );
});
