import { describe, expect, it } from 'vitest';
import { authenticated } from '../authn/user';
import { anyOf, refusal, type ResourceAttributes } from './authorizer';
import { nodeAuthorizer } from './node-authorizer';
import { builtInRulesAuthorizer, mastersAuthorizer } from './rules';

const authorizer = anyOf([mastersAuthorizer, nodeAuthorizer, builtInRulesAuthorizer]);
const node = authenticated({ name: 'system:node:n1', groups: ['system:nodes'] });
const base = { version: 'v1', group: '', subresource: '', namespace: '', name: '' };

function ask(name: string, groups: string[], verb: string, rest: Partial<ResourceAttributes>): boolean {
  return authorizer.allowsResource({ ...base, resource: 'pods', ...rest, verb, user: authenticated({ name, groups }) });
}

describe('authorization', () => {
  it.each([
    ['admin', ['system:masters'], 'delete', {}, true],
    ['someone', [], 'list', {}, false],
    ['system:kube-proxy', [], 'watch', { group: 'discovery.k8s.io', resource: 'endpointslices' }, true],
    ['system:kube-proxy', [], 'delete', { resource: 'services' }, false],
    ['system:kube-scheduler', [], 'create', { subresource: 'binding' }, true],
    ['system:kube-scheduler', [], 'update', {}, false],
    ['system:kube-controller-manager', [], 'delete', { group: 'apps', resource: 'replicasets' }, true],
    [node.name, ['system:nodes'], 'update', { resource: 'nodes', name: 'n1', subresource: 'status' }, true],
    [node.name, ['system:nodes'], 'update', { resource: 'nodes', name: 'n2', subresource: 'status' }, false],
    [
      node.name,
      ['system:nodes'],
      'update',
      { group: 'coordination.k8s.io', resource: 'leases', namespace: 'kube-node-lease', name: 'n1' },
      true,
    ],
    [
      node.name,
      ['system:nodes'],
      'update',
      { group: 'coordination.k8s.io', resource: 'leases', namespace: 'kube-node-lease', name: 'n2' },
      false,
    ],
    [node.name, [], 'update', { resource: 'nodes', name: 'n1' }, false],
  ] as const)('%s %j may %s %j: %s', (name, groups, verb, rest, allowed) => {
    expect(ask(name, [...groups], verb, rest)).toBe(allowed);
  });

  it('lets everyone see health, and only the authenticated see discovery', () => {
    const anonymous = { name: 'system:anonymous', groups: ['system:unauthenticated'] };
    expect(authorizer.allowsPath({ user: anonymous, verb: 'get', path: '/livez' })).toBe(true);
    expect(authorizer.allowsPath({ user: anonymous, verb: 'get', path: '/apis' })).toBe(false);
    expect(authorizer.allowsPath({ user: node, verb: 'get', path: '/apis/apps/v1' })).toBe(true);
    expect(authorizer.allowsPath({ user: node, verb: 'get', path: '/metrics' })).toBe(false);
  });

  it('words a refusal as upstream does', () => {
    const attributes = { ...base, user: node, verb: 'update', group: 'apps', resource: 'deployments' };
    const inNamespace = { ...attributes, namespace: 'a', name: 'd', subresource: 'scale' };
    expect(refusal(inNamespace).message).toBe(
      'deployments.apps "d" is forbidden: User "system:node:n1" cannot update resource "deployments/scale" in API group "apps" in the namespace "a"',
    );
  });
});
