import { describe, expect, test } from 'vitest';
import type { Container, PodSpec } from '../../../api';
import { type ContainerInput, containerConfig, sandboxConfig } from './container-config';
import { podOf } from './pod-fixtures';
import { qosClassOf } from './quality-of-service';
import { byteValue, milliValue } from './quantity';
import { RestartBackoff, durationText } from './restart-backoff';

function configOf(container: Partial<Container>, spec: Partial<PodSpec> = {}, more: Partial<ContainerInput> = {}) {
  const full = { name: 'a', image: 'img', ...container };
  return containerConfig({
    pod: podOf({ ...spec, containers: [full] }),
    container: full,
    attempt: 3,
    sandboxId: 'sb',
    environment: { A: '1' },
    volumes: new Map([['data', '/v/data']]),
    hostsFile: '/p/etc-hosts',
    resolvConf: '/p/resolv.conf',
    terminationMessageFile: '/p/t',
    nodeMemory: 2 ** 30,
    oomScoreFloor: -1000,
    imageUser: '',
    image: 'sha256:1',
    ...more,
  });
}

describe('containerConfig', () => {
  test('command, arguments and environment', () => {
    const config = configOf({ command: ['echo', '$(A)'], args: ['$(B)'], workingDir: '/w' });
    expect(config).toMatchObject({
      Entrypoint: ['echo', '1'],
      Cmd: ['$(B)'],
      Env: ['A=1'],
      WorkingDir: '/w',
      Image: 'sha256:1',
    });
    expect(config.Labels).toMatchObject({
      'io.kubernetes.pod.uid': 'u1',
      'io.kubernetes.container.name': 'a',
      'annotation.io.kubernetes.container.restartCount': '3',
    });
    expect(config.HostConfig).toMatchObject({
      NetworkMode: 'container:sb',
      IpcMode: 'container:sb',
      OomScoreAdj: 1000,
    });
  });

  test('resources', () => {
    const host = configOf({ resources: { requests: { cpu: '100m' }, limits: { cpu: '500m', memory: '64Mi' } } })
      .HostConfig!;
    expect(host).toMatchObject({ CpuShares: 102, CpuPeriod: 100_000, CpuQuota: 50_000, Memory: 67_108_864 });
  });

  test('mounts: volumes, sub-paths and the files of the kubelet', () => {
    const mounts = configOf({ volumeMounts: [{ name: 'data', mountPath: '/d', subPath: 'x/y', readOnly: true }] })
      .HostConfig!.Mounts!;
    expect(mounts.map(({ Source, Target, ReadOnly }) => `${Source}:${Target}:${ReadOnly}`)).toEqual([
      '/v/data/x/y:/d:true',
      '/p/etc-hosts:/etc/hosts:false',
      '/p/resolv.conf:/etc/resolv.conf:false',
      '/p/t:/dev/termination-log:false',
    ]);
  });

  const users: [Partial<Container>, Partial<PodSpec>, string, string | undefined][] = [
    [{}, {}, '', undefined],
    [{ securityContext: { runAsUser: 5 } }, { securityContext: { runAsUser: 7, runAsGroup: 8 } }, '', '5:8'],
    [{ securityContext: { runAsGroup: 8 } }, {}, 'www', 'www:8'],
    [{}, { securityContext: { runAsNonRoot: true } }, '1000', undefined],
  ];
  test.each(users)('user of %j in %j with image user %s: %s', (container, spec, imageUser, user) => {
    expect(configOf(container, spec, { imageUser }).User).toBe(user);
  });

  const refused: [Partial<Container>, string][] = [
    [{ securityContext: { runAsNonRoot: true } }, 'image will run as root'],
    [{ securityContext: { runAsNonRoot: true, runAsUser: 0 } }, 'breaks non-root policy'],
    [{ volumeMounts: [{ name: 'no', mountPath: '/x' }] }, 'cannot find volume "no"'],
    [{ volumeMounts: [{ name: 'data', mountPath: '/x', subPath: '../y' }] }, 'failed to create subPath directory'],
  ];
  test.each(refused)('%j is refused: %s', (container, message) => {
    expect(() => configOf(container)).toThrow(message);
  });

  test('a sandbox without the right to lower scores does not try', () => {
    const input = { pod: podOf({ containers: [] }), attempt: 0, image: 'pause', network: 'pilothouse' };
    expect(sandboxConfig({ ...input, oomScoreFloor: 0 }).HostConfig!.OomScoreAdj).toBe(0);
    expect(sandboxConfig({ ...input, oomScoreFloor: -1000 }).HostConfig!.OomScoreAdj).toBe(-998);
  });
});

describe('quantities and classes', () => {
  const values: [string, number, number][] = [
    ['1', 1000, 1],
    ['250m', 250, 1],
    ['0.1', 100, 1],
    ['64Mi', 67_108_864_000, 67_108_864],
    ['1e3', 1_000_000, 1000],
    ['2k', 2_000_000, 2000],
  ];
  test.each(values)('%s', (text, milli, bytes) => {
    expect([milliValue(text), byteValue(text)]).toEqual([milli, bytes]);
  });

  test('quality of service', () => {
    const both = { cpu: '1', memory: '1Mi' };
    const classOf = (resources?: Container['resources']) =>
      qosClassOf(podOf({ containers: [{ name: 'a', resources }] }));
    expect([
      classOf(),
      classOf({ limits: both }),
      classOf({ limits: both, requests: { cpu: '500m' } }),
      classOf({ requests: { cpu: '1' } }),
    ]).toEqual(['BestEffort', 'Guaranteed', 'Burstable', 'Burstable']);
  });
});

test('RestartBackoff doubles from 10 s to 5 min, and forgets after 10 min', () => {
  const backoff = new RestartBackoff();
  expect(backoff.remaining('k', { since: 0, now: 0 }).waitMs).toBe(0);
  const delays: number[] = [];
  for (let now = 0; delays.length < 7; now += 1000) {
    backoff.next('k', now);
    delays.push(backoff.remaining('k', { since: now, now }).delayMs / 1000);
  }
  expect(delays).toEqual([10, 20, 40, 80, 160, 300, 300]);
  expect(backoff.remaining('k', { since: 6000, now: 106_000 }).waitMs).toBe(200_000);
  expect(backoff.remaining('k', { since: 0, now: 700_000 }).waitMs).toBe(0);
  expect([durationText(10_000), durationText(80_000), durationText(300_000)]).toEqual(['10s', '1m20s', '5m0s']);
});
