// What every Client must do, whichever way it reaches an API server. Run on the fake, on the in-process client and on
// the HTTPS client, so that tests on the fake speak of the real thing.

import { describe, expect, it } from 'vitest';
import { resources, type ConfigMap, type Deployment, type KubeObject, type WatchEvent } from '../api';
import type { Client } from '../client';

/** Names are made unique by `prefix`, so that suites can share a server. The namespace must exist. */
export function clientContract(title: string, make: () => { client: Client; namespace: string; prefix: string }): void {
  const configMap = (name: string, data: Record<string, string> = {}): ConfigMap => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, labels: { suite: name } },
    data,
  });

  describe(`client contract: ${title}`, () => {
    it('creates, reads, lists by label and deletes; answers are frozen', async () => {
      const { client, namespace, prefix } = make();
      const name = `${prefix}crud`;
      const made = await client.create(resources.configmaps, configMap(name, { a: '1' }), { namespace });
      expect(made.metadata).toMatchObject({ name, namespace, uid: expect.any(String) });
      const read = await client.get<ConfigMap>(resources.configmaps, { namespace, name });
      expect(read.data).toEqual({ a: '1' });
      expect(Object.isFrozen(read.data)).toBe(true);
      const list = await client.list(resources.configmaps, { namespace, labelSelector: `suite=${name}` });
      expect(list.items.map((item) => item.metadata.name)).toEqual([name]);
      expect(Number(list.metadata.resourceVersion)).toBeGreaterThan(0);
      await client.delete(resources.configmaps, { namespace, name });
      await expect(client.get(resources.configmaps, { namespace, name })).rejects.toMatchObject({ reason: 'NotFound' });
    });

    it('makes names of generateName and refuses a name that is taken', async () => {
      const { client, namespace, prefix } = make();
      const object: ConfigMap = { ...configMap('x'), metadata: { generateName: `${prefix}gen-` } };
      const made = await client.create(resources.configmaps, object, { namespace });
      expect(made.metadata.name).toMatch(new RegExp(`^${prefix}gen-.{5}`));
      const again = client.create(resources.configmaps, configMap(made.metadata.name!), { namespace });
      await expect(again).rejects.toMatchObject({ reason: 'AlreadyExists', statusCode: 409 });
    });

    it('refuses an update of an old version and a delete whose preconditions do not hold', async () => {
      const { client, namespace, prefix } = make();
      const name = `${prefix}conflict`;
      const made = await client.create(resources.configmaps, configMap(name), { namespace });
      const updated = await client.update(resources.configmaps, { ...made, data: { b: '2' } });
      expect(updated.metadata.resourceVersion).not.toBe(made.metadata.resourceVersion);
      const late = client.update(resources.configmaps, { ...made, data: { c: '3' } });
      await expect(late).rejects.toMatchObject({ reason: 'Conflict' });
      const wrong = client.delete(resources.configmaps, { namespace, name }, { preconditions: { uid: 'other' } });
      await expect(wrong).rejects.toMatchObject({ reason: 'Conflict' });
    });

    it('patches by merge and by JSON patch', async () => {
      const { client, namespace, prefix } = make();
      const name = `${prefix}patch`;
      const target = { namespace, name };
      await client.create(resources.configmaps, configMap(name, { a: '1', b: '2' }), { namespace });
      const merge = { type: 'merge', body: { data: { a: null, c: '3' } } } as const;
      expect((await client.patch<ConfigMap>(resources.configmaps, target, merge)).data).toEqual({ b: '2', c: '3' });
      const json = { type: 'json', body: [{ op: 'replace', path: '/data/b', value: '9' }] } as const;
      expect((await client.patch<ConfigMap>(resources.configmaps, target, json)).data).toEqual({ b: '9', c: '3' });
    });

    it('keeps status apart from spec and counts generations of the spec', async () => {
      const { client, namespace, prefix } = make();
      const name = `${prefix}status`;
      const labels = { app: name };
      const spec = {
        replicas: 0,
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: { containers: [{ name: 'c', image: 'i' }] } },
      };
      const object: Deployment = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name }, spec };
      const made = await client.create(resources.deployments, object, { namespace });
      expect(made.metadata.generation).toBe(1);
      const draft = { ...made, spec: { ...made.spec, replicas: 7 }, status: { observedGeneration: 1 } };
      const status = await client.update(resources.deployments, draft, { subresource: 'status' });
      expect(status.status?.observedGeneration).toBe(1);
      expect(status.spec.replicas).toBe(0);
      expect(status.metadata.generation).toBe(1);
      const body = { spec: { replicas: 1 }, status: { observedGeneration: 5 } };
      const target = { namespace, name };
      const patched = await client.patch<Deployment>(resources.deployments, target, { type: 'merge', body });
      expect(patched.metadata.generation).toBe(2);
      expect(patched.status?.observedGeneration).toBe(1);
    });

    it('keeps a deleted object until its finalizers are gone', async () => {
      const { client, namespace, prefix } = make();
      const name = `${prefix}final`;
      const target = { namespace, name };
      const object = configMap(name);
      object.metadata.finalizers = ['example.com/hold'];
      await client.create(resources.configmaps, object, { namespace });
      await client.delete(resources.configmaps, target);
      const held = await client.get(resources.configmaps, target);
      expect(held.metadata.deletionTimestamp).toBeDefined();
      const body = { metadata: { finalizers: null } };
      await client.patch(resources.configmaps, target, { type: 'merge', body });
      await expect(client.get(resources.configmaps, target)).rejects.toMatchObject({ reason: 'NotFound' });
    });

    it('watches from a version, as a selector sees it, until the signal aborts', async () => {
      const { client, namespace, prefix } = make();
      const name = `${prefix}watch`;
      const target = { namespace, name };
      const { metadata } = await client.list(resources.configmaps, { namespace });
      await client.create(resources.configmaps, configMap(name), { namespace });
      const controller = new AbortController();
      const options = { namespace, labelSelector: `suite=${name}`, resourceVersion: metadata.resourceVersion };
      const events: WatchEvent[] = [];
      for await (const event of client.watch<KubeObject>(resources.configmaps, {
        ...options,
        signal: controller.signal,
      })) {
        events.push(event);
        if (event.type === 'ADDED') {
          await client.patch(resources.configmaps, target, { type: 'merge', body: { data: { x: 'y' } } });
        }
        if (event.type === 'MODIFIED') {
          const body = { metadata: { labels: { suite: 'other' } } };
          await client.patch(resources.configmaps, target, { type: 'merge', body });
        }
        if (event.type === 'DELETED') controller.abort();
      }
      expect(events.map(({ type }) => type)).toEqual(['ADDED', 'MODIFIED', 'DELETED']);
      const versions = events.map(({ object }) => Number(object.metadata.resourceVersion));
      expect(versions.toSorted((a, b) => a - b)).toEqual(versions);
    });
  });
}
