import { describe, expect, test } from 'vitest';
import type { Container, Service } from '../../../api';
import { type DownwardFacts } from './downward';
import { buildEnvironment } from './environment';
import { expand } from './expansion';
import { podOf } from './pod-fixtures';

describe('expand', () => {
  const rows: [string, string][] = [
    ['plain', 'plain'],
    ['$(A)', '1'],
    ['x$(A)y$(B)', 'x1y2'],
    ['$$(A)', '$(A)'],
    ['$$$(A)', '$1'],
    ['$(NO)', '$(NO)'],
    ['$(A', '$(A'],
    ['$A', '$A'],
    ['end$', 'end$'],
    ['$(A)$(B)', '12'],
  ];
  test.each(rows)('%s → %s', (text, expected) => {
    expect(expand(text, (name) => ({ A: '1', B: '2' })[name])).toBe(expected);
  });
});

const facts: DownwardFacts = {
  podIP: '10.244.1.2',
  podIPs: ['10.244.1.2'],
  hostIP: '192.168.77.11',
  nodeName: 'node-1',
  allocatable: { cpu: '2', memory: '1073741824' },
};
const objects: Record<string, Record<string, string>> = { settings: { a: '1', b: '2' }, keys: { password: 'p' } };
const sources = { configMap: async (name: string) => objects[name], secret: async (name: string) => objects[name] };
const service = (namespace: string, name: string, clusterIP: string): Service => ({
  metadata: { name, namespace },
  spec: { clusterIP, ports: [{ name: 'http', port: 80 }] },
});

function environment(container: Partial<Container>, services: Service[] = []): Promise<Record<string, string>> {
  const full = { name: 'a', ...container };
  return buildEnvironment({ pod: podOf({ containers: [full] }), container: full, services, facts, sources });
}

describe('buildEnvironment', () => {
  test('every source, later ones able to refer to earlier ones', async () => {
    const env = await environment({
      resources: { limits: { memory: '64Mi' } },
      envFrom: [{ prefix: 'S_', configMapRef: { name: 'settings' } }],
      env: [
        { name: 'A', value: 'x' },
        { name: 'B', value: '$(A)-$(S_a)' },
        { name: 'NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
        { name: 'IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
        { name: 'MEM', valueFrom: { resourceFieldRef: { resource: 'limits.memory', divisor: '1Mi' } } },
        { name: 'CPU', valueFrom: { resourceFieldRef: { resource: 'limits.cpu' } } },
        { name: 'P', valueFrom: { secretKeyRef: { name: 'keys', key: 'password' } } },
        { name: 'NONE', valueFrom: { configMapKeyRef: { name: 'absent', key: 'k', optional: true } } },
      ],
    });
    expect(env).toEqual({
      S_a: '1',
      S_b: '2',
      A: 'x',
      B: 'x-1',
      NAME: 'web',
      IP: '10.244.1.2',
      MEM: '64',
      CPU: '2',
      P: 'p',
    });
  });

  test('Services of the own namespace and the API server', async () => {
    const all = [
      service('shop', 'my-db', '10.96.0.7'),
      service('other', 'x', '10.96.0.8'),
      service('default', 'kubernetes', '10.96.0.1'),
    ];
    const env = await environment({}, all);
    expect(env).toMatchObject({
      MY_DB_SERVICE_HOST: '10.96.0.7',
      MY_DB_SERVICE_PORT: '80',
      MY_DB_SERVICE_PORT_HTTP: '80',
      MY_DB_PORT: 'tcp://10.96.0.7:80',
      MY_DB_PORT_80_TCP_ADDR: '10.96.0.7',
      KUBERNETES_SERVICE_HOST: '10.96.0.1',
    });
    expect(Object.keys(env).some((name) => name.startsWith('X_'))).toBe(false);
  });

  const failures: [Partial<Container>, string][] = [
    [
      { env: [{ name: 'A', valueFrom: { configMapKeyRef: { name: 'absent', key: 'k' } } }] },
      'configmap "absent" not found',
    ],
    [
      { env: [{ name: 'A', valueFrom: { secretKeyRef: { name: 'keys', key: 'k' } } }] },
      "couldn't find key k in Secret shop/keys",
    ],
    [{ envFrom: [{ secretRef: { name: 'absent' } }] }, 'secret "absent" not found'],
  ];
  test.each(failures)('%j fails: %s', async (container, message) => {
    await expect(environment(container)).rejects.toThrow(message);
  });
});
