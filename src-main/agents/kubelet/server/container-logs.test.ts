import { describe, expect, test } from 'vitest';
import { podOf, seen } from '../pods/pod-fixtures';
import { chooseContainer, parseLogQuery } from './container-logs';
import { isAllowed } from './server';

describe('parseLogQuery', () => {
  const parse = (text: string) => parseLogQuery(new URLSearchParams(text), 1_000_000);

  test('what kubectl sends', () => {
    expect(parse('')).toMatchObject({ follow: false, previous: false, timestamps: false });
    expect(parse('follow=true&tailLines=5&timestamps=true&limitBytes=10')).toMatchObject({
      follow: true,
      tail: 5,
      timestamps: true,
      limitBytes: 10,
    });
    expect(parse('sinceSeconds=100').since).toBe(900);
    expect(parse('sinceTime=1970-01-01T00:10:00Z').since).toBe(600);
  });

  test.each(['tailLines=-1', 'tailLines=x', 'sinceTime=x', 'sinceSeconds=1&sinceTime=1970-01-01T00:10:00Z'])(
    '%s is refused',
    (text) => {
      expect(() => parse(text)).toThrow(/sinceTime|tailLines/);
    },
  );
});

describe('chooseContainer', () => {
  const pod = podOf({ containers: [{ name: 'a' }] });
  const request = { namespace: 'shop', pod: 'web', container: 'a', query: new URLSearchParams(), previous: false };
  const first = seen('a', { state: 'exited' });
  const second = seen('a', { attempt: 1 });

  test('the newest run, or the one before', () => {
    expect(chooseContainer(pod, [second, first], request).id).toBe('a-1');
    expect(chooseContainer(pod, [second, first], { ...request, previous: true }).id).toBe('a-0');
    expect(chooseContainer(pod, [first], { ...request, previous: true }).id).toBe('a-0');
  });

  test.each([
    [{ ...request, container: 'b' }, 'container "b" in pod "web" is not available'],
    [request, 'container "a" in pod "web" is waiting to start: ContainerCreating'],
    [{ ...request, previous: true }, 'previous terminated container "a" in pod "web" not found'],
  ])('refusals', (asked, message) => {
    expect(() => chooseContainer(pod, [], asked)).toThrow(message);
  });
});

test.each([
  [{ CN: 'kube-apiserver-kubelet-client' }, true],
  [{ CN: 'admin', O: 'system:masters' }, true],
  [{ CN: 'x', O: ['a', 'system:masters'] }, true],
  [{ CN: 'system:node:node-2', O: 'system:nodes' }, false],
  [{}, false],
])('a client named %j may come in: %s', (subject, allowed) => {
  expect(isAllowed(subject)).toBe(allowed);
});
