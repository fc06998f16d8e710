import { describe, expect, it } from 'vitest';
import type { Pod } from '../../api';
import { checkHasLog, logContainer } from './log';

function pod(containers: string[], init: string[] = []): Pod {
  const named = (names: string[]) => names.map((name) => ({ name, image: 'i' }));
  return {
    metadata: { name: 'p', namespace: 'a' },
    spec: { nodeName: 'n', containers: named(containers), initContainers: named(init) },
  } as Pod;
}

describe('logContainer', () => {
  it.each([
    [pod(['a']), undefined, 'a'],
    [pod(['a'], ['i']), undefined, 'a'],
    [pod(['a', 'b'], ['i']), 'i', 'i'],
  ])('case %#', (object, wanted, expected) => {
    expect(logContainer(object, wanted)).toBe(expected);
  });

  it('asks which one in the words of Kubernetes', () => {
    expect(() => logContainer(pod(['a', 'b'], ['i']), undefined)).toThrow(
      'a container name must be specified for pod p, choose one of: [a b] or one of the init containers: [i]',
    );
    expect(() => logContainer(pod(['a']), 'z')).toThrow('container z is not valid for pod p');
  });
});

describe('checkHasLog', () => {
  const withState = (status: object): Pod => ({
    ...pod(['a']),
    status: { containerStatuses: [{ name: 'a', ready: false, restartCount: 0, image: '', imageID: '', ...status }] },
  });

  it('refuses a container that never ran, not one that waits to run again', () => {
    const waiting = { state: { waiting: { reason: 'ImagePullBackOff' } } };
    expect(() => checkHasLog(withState(waiting), 'a')).toThrow(
      'container "a" in pod "p" is waiting to start: ImagePullBackOff',
    );
    expect(() => checkHasLog(withState({ ...waiting, containerID: 'docker://1' }), 'a')).not.toThrow();
    expect(() => checkHasLog(pod(['a']), 'a')).not.toThrow();
  });
});
