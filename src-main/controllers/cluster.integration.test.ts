// The control plane together: a real API server on a real store, all controllers and the scheduler, with kubelets played
// by the test. Nothing else is faked.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type ConfigMap,
  type Deployment,
  type Endpoints,
  type EndpointSlice,
  type Event,
  formatMicroTime,
  formatTime,
  type KubeObject,
  type Namespace,
  type Node,
  type Pod,
  type ReplicaSet,
  resources,
  type Service,
} from '../api';
import { ApiError, type Client, type Resource } from '../client';
import { silentLogger, sleep, systemClock } from '../kit';
import { type Scheduler, startScheduler } from '../scheduler';
import { startTestApiServer, type TestApiServer } from '../testkit/api-server';
import { runFakeKubelet } from '../testkit/fake-kubelet';
import { type Controllers, startControllers } from './start-controllers';

const namespace = 'default';
const nodeNames = ['node-1', 'node-2'];

describe('control plane', () => {
  const stopping = new AbortController();
  let running: TestApiServer;
  let client: Client;
  let controllers: Controllers;
  let scheduler: Scheduler;
  let kubelets: ReturnType<typeof runFakeKubelet>;

  async function until<T>(what: string, read: () => Promise<T | undefined | false>): Promise<T> {
    const deadline = Date.now() + 20_000;
    for (;;) {
      const value = await read();
      if (value !== undefined && value !== false) return value;
      if (Date.now() > deadline) throw new Error(`never happened: ${what}`);
      await sleep(50);
    }
  }

  const list = async <T extends KubeObject>(resource: Resource, labelSelector?: string) =>
    (await client.list<T>(resource, { namespace, labelSelector })).items;

  async function find<T extends KubeObject>(resource: Resource, name: string, where?: string): Promise<T | undefined> {
    try {
      return await client.get<T>(resource, { namespace: where ?? namespace, name });
    } catch (error) {
      if (ApiError.is(error, 'NotFound')) return undefined;
      throw error;
    }
  }

  async function register(name: string): Promise<void> {
    const lease = {
      metadata: { name, namespace: 'kube-node-lease' },
      spec: { holderIdentity: name, leaseDurationSeconds: 40, renewTime: formatMicroTime(Date.now()) },
    };
    await client.create(resources.nodes, { metadata: { name } } as Node);
    await client.create(resources.leases, lease, { namespace: 'kube-node-lease' });
    const now = formatTime(Date.now());
    const ready = { type: 'Ready', status: 'True', lastHeartbeatTime: now, lastTransitionTime: now };
    const allocatable = { cpu: '2', memory: '2Gi', pods: '110' };
    const body = { status: { allocatable, capacity: allocatable, conditions: [ready] } };
    await client.patch(resources.nodes, { name }, { type: 'merge', subresource: 'status', body });
  }

  const deployment = (name: string, image: string): Deployment => ({
    metadata: { name, namespace },
    spec: {
      replicas: 3,
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: { app: name } },
        spec: { containers: [{ name: 'c', image, ports: [{ name: 'http', containerPort: 8080 }] }] },
      },
    },
  });

  const availablePods = (name: string, count: number, image: string) =>
    until(`${count} Pods of ${name} run ${image}`, async () => {
      const pods = await list<Pod>(resources.pods, `app=${name}`);
      const right = pods.every(
        ({ spec, status, metadata }) =>
          spec.containers[0]!.image === image && status?.phase === 'Running' && !metadata.deletionTimestamp,
      );
      const status = (await find<Deployment>(resources.deployments, name))?.status;
      return pods.length === count && right && (status?.availableReplicas ?? 0) === count && pods;
    });

  beforeAll(async () => {
    running = await startTestApiServer();
    client = running.server.client({ name: 'test', groups: ['system:masters'] });
    const shared = { logger: silentLogger, signal: stopping.signal };
    const user = (name: string) => running.server.client({ name, groups: ['system:authenticated'] });
    controllers = await startControllers({
      ...shared,
      client: user('system:kube-controller-manager'),
      podNetwork: '10.244.0.0/16',
      rootCertificate: running.authority.ca,
    });
    scheduler = await startScheduler({ ...shared, client: user('system:kube-scheduler') });
    kubelets = runFakeKubelet({ client, clock: systemClock, signal: stopping.signal });
    for (const name of nodeNames) await register(name);
  });

  afterAll(async () => {
    stopping.abort(new Error('the test is over'));
    await Promise.all([controllers?.stop(), scheduler?.stop(), kubelets?.ended]);
    await running?.stop();
  });

  it('gives nodes a Pod CIDR and no taint, and namespaces their account and certificate', async () => {
    const cidrs = await Promise.all(
      nodeNames.map((name) =>
        until(`${name} has a CIDR`, async () => (await client.get<Node>(resources.nodes, { name })).spec?.podCIDR),
      ),
    );
    expect(cidrs.toSorted()).toEqual(['10.244.0.0/24', '10.244.1.0/24']);
    await until('the nodes are free of taints', async () => {
      const { items } = await client.list<Node>(resources.nodes);
      return items.every(({ spec }) => (spec?.taints ?? []).length === 0);
    });
    await until('the default account', () => find(resources.serviceaccounts, 'default'));
    const published = await until('the certificate', () => find<ConfigMap>(resources.configmaps, 'kube-root-ca.crt'));
    expect(published.data!['ca.crt']).toBe(running.authority.ca);
  });

  it('runs a Deployment on both nodes, scales it, rolls it out and back', async () => {
    await client.create(resources.deployments, deployment('web', 'web:1'), { namespace });
    const first = await availablePods('web', 3, 'web:1');
    expect(new Set(first.map(({ spec }) => spec.nodeName))).toEqual(new Set(nodeNames));
    const change = (body: unknown) =>
      client.patch(resources.deployments, { namespace, name: 'web' }, { type: 'strategic', body });
    for (const replicas of [5, 1, 4]) {
      await change({ spec: { replicas } });
      await availablePods('web', replicas, 'web:1');
    }
    const image = (value: string) =>
      change({ spec: { template: { spec: { containers: [{ name: 'c', image: value }] } } } });
    await image('web:2');
    await availablePods('web', 4, 'web:2');
    await image('web:1');
    await availablePods('web', 4, 'web:1');
    const sets = await list<ReplicaSet>(resources.replicasets, 'app=web');
    expect(sets).toHaveLength(2);
    const messages = (await list<Event>(resources.events)).map(({ message }) => message ?? '');
    expect(messages.some((message) => /^Scaled up replica set web-\w+ from 0 to 3$/.test(message))).toBe(true);
    expect(messages.some((message) => /^Successfully assigned default\/web-\w+-\w+ to node-[12]$/.test(message))).toBe(
      true,
    );
  });

  it('puts the Pods behind a Service into Endpoints and EndpointSlices', async () => {
    const service: Service = {
      metadata: { name: 'web', namespace },
      spec: { selector: { app: 'web' }, ports: [{ port: 80, targetPort: 'http' }] },
    };
    await client.create(resources.services, service, { namespace });
    const ips = (await list<Pod>(resources.pods, 'app=web')).map(({ status }) => status!.podIP!).toSorted();
    const endpoints = await until('four addresses', async () => {
      const found = await find<Endpoints>(resources.endpoints, 'web');
      return found?.subsets?.[0]?.addresses?.length === 4 && found;
    });
    expect(endpoints.subsets![0]!.addresses!.map(({ ip }) => ip).toSorted()).toEqual(ips);
    expect(endpoints.subsets![0]!.ports![0]!.port).toBe(8080);
    const [slice] = await until('a slice', async () => {
      const slices = await list<EndpointSlice>(resources.endpointslices, 'kubernetes.io/service-name=web');
      return slices.length === 1 && slices[0]!.endpoints.length === 4 && slices;
    });
    expect(slice!.endpoints[0]!.conditions).toEqual({ ready: true, serving: true, terminating: false });
    await client.delete(resources.services, { namespace, name: 'web' });
    await until('they go with the Service', async () => {
      const slices = await list(resources.endpointslices, 'kubernetes.io/service-name=web');
      return slices.length === 0 && !(await find(resources.endpoints, 'web'));
    });
  });

  it('says why a Pod waits and places it once it can', async () => {
    const pod: Pod = {
      metadata: { name: 'large', namespace },
      spec: { containers: [{ name: 'c', image: 'i', resources: { requests: { cpu: '3' } } }] },
    };
    await client.create(resources.pods, pod, { namespace });
    const condition = await until('it is unschedulable', async () =>
      (await find<Pod>(resources.pods, 'large'))?.status?.conditions?.find(({ status }) => status === 'False'),
    );
    expect(condition).toMatchObject({
      reason: 'Unschedulable',
      message: '0/2 nodes are available: 2 Insufficient cpu.',
    });
    expect(scheduler.explain('default/large')?.verdicts).toHaveLength(2);
    const body = { status: { allocatable: { cpu: '8' } } };
    await client.patch(resources.nodes, { name: 'node-2' }, { type: 'merge', subresource: 'status', body });
    await until('it runs', async () => (await find<Pod>(resources.pods, 'large'))?.status?.phase === 'Running');
  });

  it('deletes a Deployment with all it owns', async () => {
    await client.delete(resources.deployments, { namespace, name: 'web' }, { propagationPolicy: 'Foreground' });
    await until('the cascade is through', async () => {
      const pods = await list(resources.pods, 'app=web');
      const sets = await list(resources.replicasets, 'app=web');
      return pods.length + sets.length === 0 && !(await find(resources.deployments, 'web'));
    });
  });

  it('leaves the Pods when a ReplicaSet is deleted as an orphan', async () => {
    await client.create(resources.deployments, deployment('kept', 'kept:1'), { namespace });
    await availablePods('kept', 3, 'kept:1');
    await client.delete(resources.deployments, { namespace, name: 'kept' }, { propagationPolicy: 'Orphan' });
    await until('the Deployment is gone', async () => !(await find(resources.deployments, 'kept')));
    const [set] = await list<ReplicaSet>(resources.replicasets, 'app=kept');
    expect(set!.metadata.ownerReferences ?? []).toEqual([]);
    await client.delete(resources.replicasets, { namespace, name: set!.metadata.name! });
    await until('its Pods follow in the background', async () => (await list(resources.pods, 'app=kept')).length === 0);
  });

  it('empties a namespace and lets it go', async () => {
    await client.create(resources.namespaces, { metadata: { name: 'short' } } as Namespace);
    const object = deployment('inside', 'inside:1');
    object.metadata.namespace = 'short';
    await client.create(resources.deployments, object, { namespace: 'short' });
    await until('its Pods run', async () => {
      const { items } = await client.list<Pod>(resources.pods, { namespace: 'short' });
      return items.length === 3 && items.every(({ status }) => status?.phase === 'Running');
    });
    await client.delete(resources.namespaces, { name: 'short' });
    await until('it is gone', async () => !(await find(resources.namespaces, 'short', '')));
    expect((await client.list(resources.pods, { namespace: 'short' })).items).toEqual([]);
  });

  it('had no failures on the way', () => {
    expect(kubelets.failures.filter((message) => !/modified|not found/i.test(message))).toEqual([]);
  });
});
