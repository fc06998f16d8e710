// Stock kubectl against the real server on a real store.

import { spawn } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestApiServer, type TestApiServer } from '../testkit/api-server';
import { findKubectl, installedVersions, kubectl } from '../testkit/kubectl';

const binary = findKubectl();
const manifest = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {app: web}}
spec:
  replicas: 3
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - {name: c, image: 'busybox:1.36', ports: [{containerPort: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80}]}
`;

let running: TestApiServer;

beforeAll(async () => {
  running = await startTestApiServer();
});

afterAll(async () => {
  await running?.stop();
});

async function run(args: string[], input?: string, withBinary = binary) {
  const { kubeconfig, directory } = running;
  return kubectl({ kubeconfig, home: directory, ...(input ? { input } : {}), binary: withBinary! }, ...args);
}

/** Standard output of a command that must succeed. */
async function ok(args: string[], input?: string, withBinary = binary): Promise<string> {
  const result = await run(args, input, withBinary);
  expect(result, `kubectl ${args.join(' ')}`).toMatchObject({ code: 0 });
  return result.stdout;
}

describe.skipIf(!binary)('kubectl (needs kubectl on the path)', () => {
  it('lists what every cluster has', async () => {
    expect(await ok(['get', 'ns', '-o', 'name'])).toBe(
      ['default', 'kube-node-lease', 'kube-public', 'kube-system'].map((name) => `namespace/${name}\n`).join(''),
    );
    expect(await ok(['get', 'service', 'kubernetes'])).toMatch(/ClusterIP +10\.96\.0\.1 +<none> +443\/TCP/);
    const endpoints = await ok(['get', 'endpoints', 'kubernetes', '-o', 'jsonpath={.subsets[0].addresses[0].ip}']);
    expect(endpoints).toBe('10.0.2.2');
    expect(await ok(['version', '-o', 'json'])).toContain('"gitVersion": "v1.36.0"');
  });

  it('discovers resources', async () => {
    const table = await ok(['api-resources']);
    expect(table).toMatch(/deployments +deploy +apps\/v1 +true +Deployment/);
    expect(table).toMatch(/nodes +no +v1 +false +Node/);
    expect(await ok(['api-versions'])).toContain('discovery.k8s.io/v1');
  });

  it('explains fields', async () => {
    expect(await ok(['explain', 'deployment.spec.replicas'])).toContain('Number of desired pods');
    expect(await ok(['explain', 'pod.spec.containers.image'])).toMatch(/image\s+<string>/);
  });

  it('applies, reads, scales, labels, patches and deletes a workload', async () => {
    expect(await ok(['apply', '-f', '-'], manifest)).toContain('deployment.apps/web created');
    expect(await ok(['apply', '-f', '-'], manifest)).toContain('deployment.apps/web unchanged');
    expect(await ok(['apply', '-f', '-'], manifest.replace('1.36', '1.37'))).toContain('web configured');
    expect(await ok(['get', 'deploy', '-o', 'wide'])).toMatch(/web +0\/3 +0 +0 +\S+ +c +busybox:1\.37 +app=web/);
    await ok(['scale', 'deploy/web', '--replicas=5']);
    expect(await ok(['get', 'deploy', 'web', '-o', 'jsonpath={.spec.replicas}'])).toBe('5');
    await ok(['label', 'deploy/web', 'tier=front']);
    await ok(['annotate', 'deploy/web', 'note=a']);
    await ok(['patch', 'deploy', 'web', '--type=json', '-p', '[{"op":"replace","path":"/spec/replicas","value":2}]']);
    await ok(['patch', 'deploy', 'web', '--type=merge', '-p', '{"spec":{"paused":true}}']);
    await ok(['set', 'image', 'deploy/web', 'c=busybox:1.38']);
    expect(await ok(['get', 'deploy', '-l', 'tier=front', '-o', 'name'])).toBe('deployment.apps/web\n');
    expect(await ok(['get', 'deploy', 'web', '-o', 'yaml'])).toContain('image: busybox:1.38');
    expect(await ok(['describe', 'deploy', 'web'])).toContain('Replicas:               2 desired');
    expect(await ok(['describe', 'svc', 'web'])).toMatch(/IP: +10\.\d+/);
    await ok(['expose', 'deploy', 'web', '--name=web-node', '--port=80', '--type=NodePort']);
    expect(await ok(['get', 'svc', 'web-node'])).toMatch(/NodePort +10\.\S+ +<none> +80:3\d{4}\/TCP/);
    expect(await ok(['delete', '-f', '-'], manifest)).toContain('service "web" deleted');
    expect((await run(['get', 'deploy', 'web'])).stderr).toContain('deployments.apps "web" not found');
  });

  it('watches and waits', async () => {
    const { kubeconfig, directory } = running;
    const child = spawn(binary!, ['get', 'cm', '-w', '--output-watch-events', '-l', 'watched=yes'], {
      env: { ...process.env, KUBECONFIG: kubeconfig, HOME: directory },
    });
    let output = '';
    const saw = (text: string) =>
      new Promise<void>((resolve) => {
        const check = () => {
          if (output.includes(text)) resolve();
        };
        child.stdout.on('data', check);
        check();
      });
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
    try {
      await ok(
        ['create', '-f', '-'],
        '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"w","labels":{"watched":"yes"}}}',
      );
      await saw('ADDED');
      await ok(['patch', 'cm', 'w', '-p', '{"data":{"a":"b"}}']);
      await saw('MODIFIED');
      await ok(['label', 'cm', 'w', 'watched-']);
      await saw('DELETED');
    } finally {
      child.kill();
    }
    const [waited] = await Promise.all([
      run(['wait', 'cm/w', '--for=delete', '--timeout=20s']),
      ok(['delete', 'cm', 'w']),
    ]);
    // When the deletion came first, newer versions succeed in silence and older ones find nothing.
    if (waited.code !== 0) expect(waited.stderr).toMatch(/NotFound|no matching resources/);
  });

  it('says what is wrong in the words of Kubernetes', async () => {
    const bad = manifest.replace('app: web}}\n    spec', 'app: other}}\n    spec');
    const invalid = await run(['apply', '-f', '-'], bad);
    expect(invalid.stderr).toContain('The Deployment "web" is invalid');
    const unknown = await run(['create', '-f', '-'], manifest.replace('replicas: 3', 'replicaz: 3'));
    // Before 1.27 kubectl finds out by itself, from our OpenAPI document; since then it asks the server.
    expect(unknown.stderr).toMatch(
      /strict decoding error: unknown field "spec.replicaz"|ValidationError\(Deployment.spec\): unknown field "replicaz"/,
    );
    const missing = await run(['get', 'pods', 'nope']);
    expect(missing.stderr).toContain('Error from server (NotFound): pods "nope" not found');
    const kept = await run(['delete', 'ns', 'default']);
    expect(kept.stderr).toContain('namespaces "default" is forbidden: this namespace may not be deleted');
    await ok(['delete', 'svc', 'web', '--ignore-not-found']);
  });

  it('answers who one is and what one may do', async () => {
    expect(await ok(['auth', 'can-i', 'delete', 'pods'])).toBe('yes\n');
    const as = [
      '--token=reader-token',
      `--server=${running.url}`,
      '--insecure-skip-tls-verify',
      '--kubeconfig=/dev/null',
    ];
    expect((await run([...as, 'auth', 'can-i', 'delete', 'pods'])).stdout).toBe('no\n');
    // What `auth whoami` asks, which kubectl has since 1.27 only.
    const review = '{"apiVersion":"authentication.k8s.io/v1","kind":"SelfSubjectReview"}';
    const path = '/apis/authentication.k8s.io/v1/selfsubjectreviews';
    const self = JSON.parse(await ok([...as, 'create', '--raw', path, '-f', '-'], review)) as Record<string, object>;
    expect(self).toMatchObject({ status: { userInfo: { username: 'reader' } } });
  });

  it('answers dry runs without storing', async () => {
    await ok(['apply', '--dry-run=server', '-f', '-'], manifest);
    expect((await run(['get', 'deploy', 'web'])).code).toBe(1);
  });

  for (const other of installedVersions()) {
    const version = /kubectl\.(.+)$/.exec(other)![1];
    it(`serves kubectl ${version}`, async () => {
      const name = `by-${version!.replace('.', '-')}`;
      const text = manifest.replaceAll('name: web', `name: ${name}`);
      await ok(['apply', '-f', '-'], text, other);
      expect(await ok(['get', 'deploy', name, '-o', 'wide'], undefined, other)).toContain('0/3');
      expect(await ok(['explain', 'service.spec.clusterIP'], undefined, other)).toContain('clusterIP');
      await ok(['create', 'configmap', name, '--from-literal=a=b'], undefined, other);
      await ok(['scale', 'deploy', name, '--replicas=1'], undefined, other);
      await ok(['delete', 'deploy,svc,cm', name], undefined, other);
    });
  }
});
