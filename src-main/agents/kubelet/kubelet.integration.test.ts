// The whole kubelet against a real Docker engine and an API server in memory.

import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type ConfigMap, type Container, type Event, type Node, type Pod, resources } from '../../api';
import { silentLogger, sleep, systemClock } from '../../kit';
import { FakeApi } from '../../testkit/fake-api';
import { createJsonLogger } from '../process/json-logger';
import { DockerLab, dockerLabProblem } from './docker-lab';
import { runKubelet } from './kubelet';
import { parseKubeletConfiguration } from './kubelet-configuration';

const problem = dockerLabProblem();
const image = 'lab/busybox:1';
const logger = process.env.PILOTHOUSE_TEST_LOG ? createJsonLogger({ level: 'debug' }) : silentLogger;

describe.skipIf(problem !== undefined)(`kubelet with a Docker of its own${problem ? ` (${problem})` : ''}`, () => {
  let lab: DockerLab;
  let api: FakeApi;
  let kubelet: { stop(): Promise<void> } | undefined;
  let configText: string;

  function startKubelet(): { stop(): Promise<void> } {
    const stopping = new AbortController();
    const configuration = parseKubeletConfiguration(configText);
    const options = { client: api, nodeName: 'node-1', configuration, run: lab.run, clock: systemClock, logger };
    const running = runKubelet(options, stopping.signal);
    return {
      async stop() {
        stopping.abort();
        await running;
      },
    };
  }

  async function until<T>(
    what: string,
    look: () => T | undefined | false | Promise<T | undefined | false>,
  ): Promise<T> {
    const deadline = Date.now() + 60_000;
    for (;;) {
      const found = await look();
      if (found) return found;
      if (Date.now() > deadline) {
        const pods = api.objects<Pod>(resources.pods).map(({ metadata, status }) => ({ metadata, status }));
        throw new Error(`${what}: not within 60 s\n${JSON.stringify(pods, null, 1)}`);
      }
      await sleep(50);
    }
  }

  const pod = (name: string) => api.object<Pod>(resources.pods, { namespace: 'default', name });

  async function create(name: string, spec: Partial<Pod['spec']> & { containers: Container[] }): Promise<void> {
    const object: Pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, namespace: 'default' },
      spec: { nodeName: 'node-1', restartPolicy: 'Always', terminationGracePeriodSeconds: 2, ...spec },
    };
    await api.create(resources.pods, object, { namespace: 'default' });
  }

  const container = (name: string, script: string, more: Partial<Container> = {}): Container => ({
    name,
    image,
    imagePullPolicy: 'IfNotPresent',
    command: ['/bin/sh', '-c', script],
    ...more,
  });

  const isReady = (name: string) =>
    pod(name)?.status?.conditions?.some((condition) => condition.type === 'Ready' && condition.status === 'True');

  const exec = (id: string, ...command: string[]) => lab.docker('exec', id.replace('docker://', ''), ...command);
  const idOf = (name: string, of: string) =>
    pod(name)!.status!.containerStatuses!.find((status) => status.name === of)!.containerID!;

  beforeAll(async () => {
    lab = new DockerLab();
    await lab.start();
    lab.importBusybox(image);
    const resolv = join(lab.root, 'resolv.conf');
    writeFileSync(resolv, 'nameserver 192.0.2.53\n');
    mkdirSync(join(lab.root, 'kubelet'));
    configText = JSON.stringify({
      nodeIP: '192.0.2.10',
      nodeStatusUpdateFrequency: '1s',
      rootDirectory: join(lab.root, 'kubelet'),
      dockerSocket: lab.socket,
      pauseArchive: lab.pauseArchive(),
      resolvConf: resolv,
      syncFrequency: '1s',
      clusterDNS: ['10.96.0.10'],
    });
    api = new FakeApi();
    for (const name of ['default', 'kube-node-lease']) {
      await api.create(resources.namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
    }
  });

  afterEach(async () => {
    await kubelet?.stop();
    kubelet = undefined;
  });

  afterAll(async () => {
    await lab.close();
  });

  test('registers its node and becomes Ready when it has a Pod CIDR', async () => {
    kubelet = startKubelet();
    const node = await until('node', () => api.object<Node>(resources.nodes, { name: 'node-1' })?.status?.conditions);
    expect(node.find((condition) => condition.type === 'Ready')).toMatchObject({ status: 'False' });
    await api.patch(
      resources.nodes,
      { name: 'node-1' },
      { type: 'merge', body: { spec: { podCIDR: '10.244.1.0/24' } } },
    );
    await until('ready', () =>
      api
        .object<Node>(resources.nodes, { name: 'node-1' })
        ?.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True'),
    );
    await until('lease', () => api.object(resources.leases, { namespace: 'kube-node-lease', name: 'node-1' }));
  });

  test('runs two containers in one network, with volumes, environment, logs, and deletes them', async () => {
    kubelet = startKubelet();
    const data = { greeting: 'hello', other: 'x' };
    const settings: ConfigMap = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'settings' }, data };
    await api.create(resources.configmaps, settings, { namespace: 'default' });
    await create('web', {
      volumes: [
        { name: 'shared', emptyDir: {} },
        { name: 'settings', configMap: { name: 'settings' } },
      ],
      containers: [
        container(
          'server',
          'echo started $GREETING on $(hostname); echo $GREETING > /www/index.html; exec httpd -f -p 8080 -h /www',
          {
            env: [
              { name: 'GREETING', valueFrom: { configMapKeyRef: { name: 'settings', key: 'greeting' } } },
              { name: 'IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
            ],
            volumeMounts: [{ name: 'shared', mountPath: '/www' }],
            readinessProbe: { exec: { command: ['wget', '-q', '-O-', 'http://127.0.0.1:8080/'] }, periodSeconds: 1 },
          },
        ),
        container('client', 'exec sleep 1000', { volumeMounts: [{ name: 'settings', mountPath: '/settings' }] }),
      ],
    });
    await until('web ready', () => isReady('web'));
    const { status } = pod('web')!;
    expect(status).toMatchObject({ phase: 'Running', hostIP: '192.0.2.10', qosClass: 'BestEffort' });
    expect(status!.podIP).toMatch(/^10\.244\.1\./);
    expect(status!.conditions!.map((condition) => condition.type)).toEqual([
      'PodReadyToStartContainers',
      'Initialized',
      'Ready',
      'ContainersReady',
      'PodScheduled',
    ]);
    const client = idOf('web', 'client');
    expect(exec(client, 'wget', '-q', '-O-', 'http://127.0.0.1:8080/')).toBe('hello\n');
    expect(exec(client, 'cat', '/settings/greeting')).toBe('hello');
    expect(exec(client, 'cat', '/etc/resolv.conf')).toBe(
      'search default.svc.cluster.local svc.cluster.local cluster.local\nnameserver 10.96.0.10\noptions ndots:5\n',
    );
    expect(exec(client, 'cat', '/etc/hosts')).toContain(`${status!.podIP}\tweb`);
    expect(exec(idOf('web', 'server'), 'sh', '-c', 'echo $IP')).toBe(`${status!.podIP}\n`);
    expect(lab.docker('logs', idOf('web', 'server').replace('docker://', ''))).toBe('started hello on web\n');
    await api.patch(
      resources.configmaps,
      { namespace: 'default', name: 'settings' },
      { type: 'merge', body: { data: { greeting: 'again' } } },
    );
    await api.patch(
      resources.pods,
      { namespace: 'default', name: 'web' },
      { type: 'merge', body: { metadata: { labels: { a: 'b' } } } },
    );
    await until('refreshed file', () => exec(client, 'cat', '/settings/greeting') === 'again');
    const reasons = new Set(api.objects<Event>(resources.events).map((event) => event.reason));
    expect([...reasons]).toEqual(expect.arrayContaining(['Pulled', 'Created', 'Started']));

    await api.delete(resources.pods, { namespace: 'default', name: 'web' }, { gracePeriodSeconds: 1 });
    await until('web gone', () => !pod('web'));
    expect(lab.docker('ps', '-aq', '--filter', 'label=io.kubernetes.pod.name=web')).toBe('');
  });

  test('restarts a failing container with backoff and reports what happened', async () => {
    kubelet = startKubelet();
    await create('crash', { containers: [container('main', 'echo oops > /dev/termination-log; exit 3')] });
    const status = await until('back-off', () => {
      const found = pod('crash')?.status?.containerStatuses?.[0];
      return found?.state?.waiting?.reason === 'CrashLoopBackOff' && found.restartCount >= 1 ? found : undefined;
    });
    expect(status.state!.waiting!.message).toMatch(
      /^back-off 10s restarting failed container=main pod=crash_default\(uid-/,
    );
    expect(status.lastState!.terminated).toMatchObject({ exitCode: 3, reason: 'Error', message: 'oops\n' });
    await api.delete(resources.pods, { namespace: 'default', name: 'crash' });
    await until('crash gone', () => !pod('crash'));
  });

  test('a Pod that ends succeeds, after its init container, and nothing of it runs on', async () => {
    kubelet = startKubelet();
    await create('job', {
      restartPolicy: 'Never',
      volumes: [{ name: 'data', emptyDir: {} }],
      initContainers: [
        container('prepare', 'echo ready > /data/file', { volumeMounts: [{ name: 'data', mountPath: '/data' }] }),
      ],
      containers: [container('main', 'cat /data/file', { volumeMounts: [{ name: 'data', mountPath: '/data' }] })],
    });
    await until('succeeded', () => pod('job')?.status?.phase === 'Succeeded');
    expect(pod('job')!.status!.containerStatuses![0]!.state!.terminated).toMatchObject({
      exitCode: 0,
      reason: 'Completed',
    });
    await until('sandbox stopped', () => lab.docker('ps', '-q', '--filter', 'label=io.kubernetes.pod.name=job') === '');
  });

  test('an image that is not there is named as the reason', async () => {
    kubelet = startKubelet();
    await create('never', {
      containers: [container('main', 'true', { image: 'lab/absent:1', imagePullPolicy: 'Never' })],
    });
    await until(
      'reason',
      () => pod('never')?.status?.containerStatuses?.[0]?.state?.waiting?.reason === 'ErrImageNeverPull',
    );
    await create('command', {
      containers: [{ name: 'main', image, imagePullPolicy: 'Never', command: ['/bin/absent'] }],
    });
    await until(
      'start error',
      () => pod('command')?.status?.containerStatuses?.[0]?.lastState?.terminated?.reason === 'StartError',
    );
    await api.delete(resources.pods, { namespace: 'default', name: 'command' });
    await until('command gone', () => !pod('command'));
  });

  test('picks its Pods up after a restart of itself, and ends those deleted meanwhile', async () => {
    kubelet = startKubelet();
    await create('stay', { containers: [container('main', 'exec sleep 1000')] });
    await create('leave', { containers: [container('main', 'exec sleep 1000')] });
    await until('both ready', () => isReady('stay') && isReady('leave'));
    const before = idOf('stay', 'main');
    await kubelet.stop();
    expect(lab.docker('ps', '-q', '--filter', 'label=io.kubernetes.pod.name=stay')).not.toBe('');
    await api.delete(resources.pods, { namespace: 'default', name: 'leave' }, { gracePeriodSeconds: 0 });
    kubelet = startKubelet();
    await until(
      'leftovers ended',
      () => lab.docker('ps', '-aq', '--filter', 'label=io.kubernetes.pod.name=leave') === '',
    );
    await sleep(500);
    expect(idOf('stay', 'main')).toBe(before);
    expect(isReady('stay')).toBe(true);
  });

  test('survives a restart of Docker: sandbox and containers are made again', async () => {
    kubelet = startKubelet();
    await until('stay ready', () => isReady('stay'));
    const before = idOf('stay', 'main');
    await lab.stopDocker();
    await until('runtime down', () =>
      api
        .object<Node>(resources.nodes, { name: 'node-1' })
        ?.status?.conditions?.some(
          ({ type, message }) => type === 'Ready' && message?.includes('container runtime is down'),
        ),
    );
    await lab.startDocker();
    await until('running again', () => isReady('stay') && idOf('stay', 'main') !== before);
    expect(pod('stay')!.status!.containerStatuses![0]!.restartCount).toBe(1);
    expect(execFileSync('ip', ['netns', 'list'], { encoding: 'utf8' })).toContain(lab.namespace);
  });
});
