// kube-proxy's rules carrying real packets: a node and two Pods as network namespaces, an API server in memory.

import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type EndpointSlice, type Service, resources } from '../../api';
import { silentLogger, sleep, systemClock } from '../../kit';
import { FakeApi } from '../../testkit/fake-api';
import { createCommandRunner } from '../process/command';
import { runProxy } from './proxy';

const needed = ['/usr/sbin/iptables-restore', '/usr/sbin/ip', '/usr/bin/nsenter', '/usr/bin/busybox'];
const missing = needed.filter((path) => !existsSync(path) && !existsSync(path.replace('/usr', '')));
const problem =
  process.getuid?.() !== 0 ? 'needs root' : missing.length > 0 ? `needs ${missing.join(', ')}` : undefined;

describe.skipIf(problem !== undefined)(`kube-proxy in network namespaces${problem ? ` (${problem})` : ''}`, () => {
  const id = randomBytes(3).toString('hex');
  const node = `phn-${id}`;
  const pods = [
    { ns: `pha-${id}`, link: `a${id}`, ip: '10.244.1.2', gateway: '10.244.1.1' },
    { ns: `phb-${id}`, link: `b${id}`, ip: '10.244.1.6', gateway: '10.244.1.5' },
  ];
  const ips = pods.map(({ ip }) => ip);
  const root = mkdtempSync(join(tmpdir(), 'pilothouse-proxy-'));
  const servers: ChildProcess[] = [];
  const api = new FakeApi();
  const stopping = new AbortController();
  const inNode = createCommandRunner(['nsenter', `--net=/run/netns/${node}`]);
  let running: Promise<void>;

  const inside = (ns: string, ...command: string[]) =>
    execFileSync('nsenter', [`--net=/run/netns/${ns}`, ...command], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    });

  const natOf = (ns: string) => inside(ns, 'iptables-save', '-t', 'nat');

  /**
   * What HTTP on an address answers from a namespace; undefined when nothing does within the patience. Never blocks:
   * the proxy under test lives in this same process, and would stand still half-way through its work.
   */
  async function fetchFrom(ns: string, address: string, port: number, patience = 10): Promise<string | undefined> {
    // Plain netcat: the static busybox cannot look names up on every host, and wget does even for numbers.
    const script = `printf 'GET / HTTP/1.0\\r\\n\\r\\n' | busybox nc -w ${patience} ${address} ${port} 2>&1`;
    const within = createCommandRunner(['nsenter', `--net=/run/netns/${ns}`]);
    const { stdout } = await within(['sh', '-c', script], { allow: 'any', timeoutMs: 30_000 });
    return stdout
      .trim()
      .split('\n')
      .at(-1)
      ?.replace(/^nc: .*(refused|timed out).*/, '$1');
  }

  /** Every different answer of so many connections, each by a port of its own. */
  async function answersFrom(ns: string, times: number): Promise<Set<string | undefined>> {
    const answers = new Set<string | undefined>();
    for (let turn = 0; turn < times; turn++) answers.add(await fetchFrom(ns, '10.96.0.50', 80));
    return answers;
  }

  async function until(what: string, look: () => boolean | Promise<boolean>): Promise<void> {
    const deadline = Date.now() + 60_000;
    while (!(await look())) {
      if (Date.now() > deadline) throw new Error(`${what}: not within 60 s\n${inside(node, 'iptables-save')}`);
      await sleep(100);
    }
  }

  const slice = (ready: boolean[]): EndpointSlice => ({
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: 'web-1', namespace: 'default', labels: { 'kubernetes.io/service-name': 'web' } },
    addressType: 'IPv4',
    ports: [{ name: '', port: 8080, protocol: 'TCP' }],
    endpoints: pods.map(({ ip }, index) => ({
      addresses: [ip],
      conditions: { ready: ready[index] },
      nodeName: 'node-1',
    })),
  });

  beforeAll(async () => {
    execFileSync('ip', ['netns', 'add', node]);
    inside(node, 'ip', 'link', 'set', 'lo', 'up');
    inside(node, 'sysctl', '-q', '-w', 'net.ipv4.ip_forward=1');
    // As the Pod network sets it: a redirect would teach a Pod that its own Service is reached without the node.
    for (const scope of ['all', 'default'])
      inside(node, 'sysctl', '-q', '-w', `net.ipv4.conf.${scope}.send_redirects=0`);
    // A way out, as every node has one: without it the kernel refuses a cluster IP before any rule sees it.
    inside(node, 'ip', 'link', 'add', 'up0', 'type', 'bridge');
    inside(node, 'ip', 'address', 'add', '192.0.2.1/24', 'dev', 'up0');
    inside(node, 'ip', 'link', 'set', 'up0', 'up');
    inside(node, 'ip', 'route', 'add', 'default', 'via', '192.0.2.254');
    for (const { ns, link, ip, gateway } of pods) {
      execFileSync('ip', ['netns', 'add', ns]);
      inside(node, 'ip', 'link', 'add', link, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', ns);
      inside(node, 'ip', 'address', 'add', `${gateway}/30`, 'dev', link);
      inside(node, 'ip', 'link', 'set', link, 'up');
      inside(ns, 'ip', 'link', 'set', 'lo', 'up');
      inside(ns, 'ip', 'address', 'add', `${ip}/30`, 'dev', 'eth0');
      inside(ns, 'ip', 'link', 'set', 'eth0', 'up');
      inside(ns, 'ip', 'route', 'add', 'default', 'via', gateway);
      const home = join(root, ns);
      mkdirSync(home);
      writeFileSync(join(home, 'index.html'), ip);
      const server = ['busybox', 'httpd', '-f', '-p', '8080', '-h', home];
      servers.push(spawn('nsenter', [`--net=/run/netns/${ns}`, ...server], { stdio: 'ignore' }));
    }
    const service: Service = {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'web', namespace: 'default' },
      spec: { clusterIP: '10.96.0.50', type: 'NodePort', ports: [{ port: 80, targetPort: 8080, nodePort: 30080 }] },
    };
    await api.create(resources.namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'default' } });
    await api.create(resources.services, service, { namespace: 'default' });
    await api.create(resources.endpointslices, slice([true, true]), { namespace: 'default' });
    const common = { client: api, nodeName: 'node-1', clusterCIDR: '10.244.0.0/16', healthzBindAddress: '' };
    running = runProxy({ ...common, run: inNode, clock: systemClock, logger: silentLogger }, stopping.signal);
  });

  afterAll(async () => {
    stopping.abort();
    await running;
    for (const server of servers) server.kill('SIGKILL');
    for (const ns of [node, ...pods.map((pod) => pod.ns)]) execFileSync('ip', ['netns', 'delete', ns]);
    rmSync(root, { recursive: true, force: true });
  });

  test('a cluster IP reaches every endpoint, from Pods (themselves included) and from the node', async () => {
    await until('first answer', async () => ips.includes((await fetchFrom(pods[0]!.ns, '10.96.0.50', 80, 1)) ?? ''));
    for (const from of [node, pods[0]!.ns, pods[1]!.ns])
      expect(await answersFrom(from, 20), from).toEqual(new Set(ips));
  }, 120_000);

  test('a node port reaches the endpoints', async () => {
    expect(ips).toContain(await fetchFrom(pods[0]!.ns, pods[0]!.gateway, 30080));
    expect(ips).toContain(await fetchFrom(node, pods[1]!.gateway, 30080));
  });

  test('rules and hooks that someone flushed come back, each once', async () => {
    const hooks = () => inside(node, 'iptables-save').match(/^-A (?!KUBE-).*$/gm);
    const before = hooks();
    expect(before).toHaveLength(8);
    inside(node, 'iptables', '-w', '5', '-t', 'nat', '-F', 'OUTPUT');
    await api.update(resources.endpointslices, await merged([true, false]));
    await until('one endpoint', () => !natOf(node).includes('10.244.1.6:8080'));
    expect(hooks()).toEqual(before);
  }, 90_000);

  test('an endpoint that is not ready gets nothing; without endpoints the connection is refused', async () => {
    expect(await answersFrom(pods[1]!.ns, 10)).toEqual(new Set(['10.244.1.2']));
    await api.update(resources.endpointslices, await merged([false, false]));
    await until('no endpoint', () => !natOf(node).includes('KUBE-SEP-'));
    expect(await fetchFrom(pods[0]!.ns, '10.96.0.50', 80)).toBe('refused');
  }, 90_000);

  test('all rules of a deleted Service go away', async () => {
    await api.delete(resources.services, { namespace: 'default', name: 'web' });
    await until('clean', () => !inside(node, 'iptables-save').includes('default/web'));
  }, 90_000);

  async function merged(ready: boolean[]): Promise<EndpointSlice> {
    const present = await api.get<EndpointSlice>(resources.endpointslices, { namespace: 'default', name: 'web-1' });
    return { ...structuredClone(present), endpoints: slice(ready).endpoints };
  }
});
