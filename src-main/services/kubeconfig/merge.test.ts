import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { kubeconfigEntries, renderKubeconfig } from './kubeconfig';
import { lineDiff } from './line-diff';
import { mergeKubeconfig, userKubeconfigPath } from './merge';

const request = {
  entry: 'pilothouse-default',
  server: 'https://127.0.0.1:6443',
  certificateAuthority: 'CA',
  user: { certificate: 'CERT', key: 'KEY' },
};
const entries = kubeconfigEntries(request);

const present = `# mine
apiVersion: v1
kind: Config
clusters:
- name: work # the big one
  cluster:
    server: https://work.example
contexts:
- name: work
  context: {cluster: work, user: me}
users:
- name: me
  user: {token: abc}
current-context: work
`;

describe('mergeKubeconfig', () => {
  it('adds its entries and leaves comments, order and the current context alone', () => {
    const merged = mergeKubeconfig(present, entries);
    expect(merged).toContain('# mine');
    expect(merged).toContain('# the big one');
    const config = parse(merged);
    expect(config['current-context']).toBe('work');
    expect(config.clusters.map((item: { name: string }) => item.name)).toEqual(['work', 'pilothouse-default']);
    expect(config.users[0]).toEqual({ name: 'me', user: { token: 'abc' } });
  });

  it('replaces its own entries instead of adding them twice', () => {
    const once = mergeKubeconfig(present, entries);
    expect(mergeKubeconfig(once, entries)).toBe(once);
    const moved = mergeKubeconfig(once, kubeconfigEntries({ ...request, server: 'https://127.0.0.1:6444' }));
    expect(parse(moved).clusters).toHaveLength(2);
    expect(parse(moved).clusters[1].cluster.server).toBe('https://127.0.0.1:6444');
  });

  it('makes a whole file out of nothing, and selects its context', () => {
    expect(parse(mergeKubeconfig('', entries))).toEqual({
      ...parse(renderKubeconfig(request)),
      preferences: undefined,
    });
  });

  it('fills the null lists that kubectl writes into an empty config', () => {
    const merged = parse(mergeKubeconfig('apiVersion: v1\nkind: Config\nclusters: null\nusers: []\n', entries));
    expect(merged.users).toHaveLength(1);
    expect(merged.clusters).toHaveLength(1);
  });

  it.each([
    ['broken YAML', 'a: [', /merged into/],
    ['another document', 'kind: Pod\n', /kind is Pod/],
    ['a list', '- a\n', /not a mapping/],
    ['a cluster list that is none', 'clusters: 3\n', /clusters is not a list/],
  ])('refuses %s', (_, text, reason) => {
    expect(() => mergeKubeconfig(text, entries)).toThrow(reason);
  });
});

describe('userKubeconfigPath', () => {
  it('is the first file of KUBECONFIG, else the one in the home folder', () => {
    expect(userKubeconfigPath({ KUBECONFIG: ':/a/config:/b/config', HOME: '/h' })).toBe('/a/config');
    expect(userKubeconfigPath({ HOME: '/h' })).toBe('/h/.kube/config');
  });
});

describe('lineDiff', () => {
  it('shows changed lines with some context', () => {
    expect(lineDiff('a\nb\nc\nd\n', 'a\nb\nX\nd\n', 1)).toEqual([' b', '-c', '+X', ' d']);
    expect(lineDiff('', 'a\n')).toEqual(['+a']);
    expect(lineDiff('a\n', 'a\n')).toEqual([]);
  });
});
