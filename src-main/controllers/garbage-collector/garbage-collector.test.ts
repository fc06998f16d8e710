import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ConfigMap, type KubeObject, type Namespace, type OwnerReference, type Pod, resources } from '../../api';
import { silentLogger } from '../../kit';
import { startWorld, type World } from '../../testkit/controller-world';
import { namespaceController } from '../namespace/namespace';
import { rootCertificateController } from '../service-account/root-certificate';
import { serviceAccountController } from '../service-account/service-account';
import { startControllers } from '../start-controllers';
import { garbageCollector } from './garbage-collector';

describe('garbage collector and namespaces', () => {
  let world: World;
  const names = () => world.api.objects<ConfigMap>(resources.configmaps, 'n').map(({ metadata }) => metadata.name);
  const read = (name: string) => world.api.object<ConfigMap>(resources.configmaps, { namespace: 'n', name })!;
  const remove = (name: string, propagationPolicy?: 'Orphan' | 'Foreground') =>
    world.api.delete(resources.configmaps, { namespace: 'n', name }, { propagationPolicy });

  function reference({ metadata }: KubeObject): OwnerReference {
    return { apiVersion: 'v1', kind: 'ConfigMap', name: metadata.name!, uid: metadata.uid!, blockOwnerDeletion: true };
  }

  const make = (name: string, owners: KubeObject[] = [], finalizers: string[] = []) =>
    world.api.create<ConfigMap>(resources.configmaps, {
      metadata: { namespace: 'n', name, ownerReferences: owners.map(reference), finalizers },
    });

  beforeEach(async () => {
    world = await startWorld((environment) =>
      startControllers({
        ...environment,
        podNetwork: '10.244.0.0/16',
        rootCertificate: 'PEM',
        logger: silentLogger,
        controllers: [garbageCollector, namespaceController, serviceAccountController, rootCertificateController],
      }),
    );
  });

  afterEach(() => world.stop());

  it('deletes what is owned, all the way down, but not what has another owner', async () => {
    const owner = await make('owner');
    const other = await make('other');
    const child = await make('child', [owner]);
    await make('grandchild', [child]);
    await make('shared', [owner, other]);
    await remove('owner');
    await world.converge();
    expect(names().toSorted()).toEqual(['other', 'shared']);
    expect(read('shared').metadata.ownerReferences).toEqual([reference(other)]);
  });

  it('deletes in the foreground: the owner goes last', async () => {
    const owner = await make('owner');
    await make('held', [owner], ['example.com/hold']);
    await remove('owner', 'Foreground');
    await world.converge();
    expect(names().toSorted()).toEqual(['held', 'owner']);
    expect(read('held').metadata.deletionTimestamp).toBeDefined();
    const body = { metadata: { finalizers: [] } };
    await world.api.patch(resources.configmaps, { namespace: 'n', name: 'held' }, { type: 'merge', body });
    await world.converge();
    expect(names()).toEqual([]);
  });

  it('lets dependents go when asked to orphan them', async () => {
    const owner = await make('owner');
    await make('child', [owner]);
    await remove('owner', 'Orphan');
    await world.converge();
    expect(names()).toEqual(['child']);
    expect(read('child').metadata.ownerReferences).toEqual([]);
  });

  it('collects what names an owner that never was, or of another uid', async () => {
    const owner = await make('owner');
    const impostor = { metadata: { ...owner.metadata, uid: 'other' } };
    await make('stray', [impostor]);
    await make('child', [owner]);
    await world.converge();
    expect(names().toSorted()).toEqual(['child', 'owner']);
  });

  it('gives a namespace its account and certificate, back when deleted, and empties it at its end', async () => {
    await world.api.create(resources.namespaces, { metadata: { name: 'n' } } as Namespace);
    await world.converge();
    const account = { namespace: 'n', name: 'default' };
    await world.api.delete(resources.serviceaccounts, account);
    await world.api.patch(
      resources.configmaps,
      { namespace: 'n', name: 'kube-root-ca.crt' },
      { type: 'merge', body: { data: { 'ca.crt': 'forged' } } },
    );
    await world.converge();
    expect(world.api.object(resources.serviceaccounts, account)).toBeDefined();
    expect(read('kube-root-ca.crt').data).toEqual({ 'ca.crt': 'PEM' });
    await make('held', [], ['example.com/hold']);
    await world.api.create(resources.pods, {
      metadata: { namespace: 'n', name: 'p' },
      spec: { containers: [] },
    } as Pod);
    await world.converge();
    await world.api.delete(resources.namespaces, { name: 'n' });
    await world.converge();
    const namespace = world.api.object<Namespace>(resources.namespaces, { name: 'n' })!;
    expect(namespace.status!.phase).toBe('Terminating');
    expect(namespace.status!.conditions!.find(({ type }) => type === 'NamespaceFinalizersRemaining')).toMatchObject({
      status: 'True',
      message: 'Some content in the namespace has finalizers remaining: example.com/hold in 1 resource instances',
    });
    const body = { metadata: { finalizers: [] } };
    await world.api.patch(resources.configmaps, { namespace: 'n', name: 'held' }, { type: 'merge', body });
    await world.clock.advance(1000);
    await world.converge();
    expect(world.api.object(resources.namespaces, { name: 'n' })).toBeUndefined();
    expect(names()).toEqual([]);
  });
});
