import { expect, test } from 'vitest';
import { type EndpointSlice, type Service, resources } from '../../api';
import { createInformer } from '../../client';
import { silentLogger } from '../../kit';
import { FakeApi } from '../../testkit/fake-api';
import { FakeClock, settle } from '../../testkit/fake-clock';
import type { RunCommand } from '../process/command';
import { Proxier } from './proxier';
import { proxyJumps } from './rules';

/** A kernel's tables as far as the proxier looks at them: chains, and rules of the built-in chains. */
function fakeKernel() {
  const tables = { nat: new Set<string>(), filter: new Set<string>() };
  const jumps: string[] = [];
  const payloads: string[] = [];
  const commands: string[] = [];
  const run: RunCommand = async (command, options) => {
    const done = { code: 0, stdout: '', stderr: '' };
    commands.push(command.join(' '));
    const table = command[command.indexOf('-t') + 1] === 'filter' ? 'filter' : 'nat';
    if (command[0] === 'iptables-save') {
      const lines = jumps.filter((jump) => jump.startsWith(table)).map((jump) => jump.slice(table.length + 1));
      return { ...done, stdout: [...[...tables[table]].map((name) => `:${name} - [0:0]`), ...lines].join('\n') };
    }
    if (command[0] === 'iptables-restore') {
      payloads.push(options!.input!);
      let current: 'nat' | 'filter' = 'nat';
      for (const line of options!.input!.split('\n')) {
        if (line.startsWith('*')) current = line.slice(1) as typeof current;
        if (line.startsWith(':')) tables[current].add(line.split(' ')[0]!.slice(1));
        if (line.startsWith('-X')) tables[current].delete(line.slice(3));
        const hook = /^-I (\S+) 1 (.*)$/.exec(line);
        if (hook) jumps.unshift(`${current} -A ${hook[1]} ${hook[2]}`);
      }
    }
    if (command.includes('-C')) return { ...done, code: 1 };
    return done;
  };
  return { run, jumps, payloads, commands };
}

async function start() {
  const clock = new FakeClock();
  const api = new FakeApi({ clock });
  const service: Service = {
    metadata: { name: 'web', namespace: 'default' },
    spec: { clusterIP: '10.96.0.5', ports: [{ port: 80 }] },
  };
  const slice: EndpointSlice = {
    metadata: { name: 'web-1', namespace: 'default', labels: { 'kubernetes.io/service-name': 'web' } },
    addressType: 'IPv4',
    ports: [{ name: '', port: 8080 }],
    endpoints: [{ addresses: ['10.244.1.2'], conditions: { ready: true } }],
  };
  await api.create(resources.services, service);
  await api.create(resources.endpointslices, slice);
  const common = { client: api, logger: silentLogger, clock };
  const services = createInformer<Service>({ ...common, resource: resources.services });
  const slices = createInformer<EndpointSlice>({ ...common, resource: resources.endpointslices });
  const stopping = new AbortController();
  const informing = [services.start(stopping.signal), slices.start(stopping.signal)];
  await settle();
  const kernel = fakeKernel();
  const proxier = new Proxier({
    services,
    slices,
    nodeName: 'node-1',
    clusterCIDR: '10.244.0.0/16',
    run: kernel.run,
    clock,
    logger: silentLogger,
  });
  const stop = async () => {
    stopping.abort();
    await Promise.all(informing);
  };
  return { proxier, kernel, stop };
}

test('hooks and rules come in one payload, so that no connection sees a part of them', async () => {
  const { proxier, kernel, stop } = await start();
  await proxier.sync();
  expect(kernel.payloads).toHaveLength(1);
  const changes = kernel.commands.filter((command) => / -[IAD] /.test(command));
  expect(changes).toEqual([]);
  expect(kernel.jumps).toHaveLength(proxyJumps.length);
  const nat = kernel.payloads[0]!.split('*nat')[1]!;
  for (const line of ['-I PREROUTING 1 ', '-I OUTPUT 1 ', '-I POSTROUTING 1 ', '-A KUBE-POSTROUTING ', 'KUBE-SEP-']) {
    expect(nat).toContain(line);
  }
  await stop();
});

test('what is there already is not written again; a hook that someone removed is, once', async () => {
  const { proxier, kernel, stop } = await start();
  await proxier.sync();
  await proxier.sync();
  expect(kernel.payloads).toHaveLength(1);
  kernel.jumps.splice(kernel.jumps.indexOf('nat -A OUTPUT -j KUBE-SERVICES'), 1);
  await proxier.sync();
  expect(kernel.payloads).toHaveLength(2);
  expect(kernel.payloads[1]!.match(/^-I .*/gm)).toEqual(['-I OUTPUT 1 -j KUBE-SERVICES']);
  await proxier.sync();
  expect(kernel.payloads).toHaveLength(2);
  await stop();
});
