import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { resources, type Deployment, type Event, type Pod, type ReplicaSet } from '../../api';
import { silentLogger } from '../../kit';
import { startWorld, type World } from '../../testkit/controller-world';
import { replicaSetController } from '../replicaset/replicaset';
import { startControllers } from '../start-controllers';
import { deploymentController } from './deployment';

const target = { namespace: 'default', name: 'web' };

function deployment(spec: Partial<Deployment['spec']> = {}): Deployment {
  return {
    metadata: { ...target, annotations: { 'kubernetes.io/change-cause': 'first' } },
    spec: {
      replicas: 3,
      selector: { matchLabels: { app: 'web' } },
      template: { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'c', image: 'web:1' }] } },
      ...spec,
    },
  };
}

describe('Deployment and ReplicaSet controllers', () => {
  let world: World;
  const pods = () => world.api.objects<Pod>(resources.pods);
  const sets = () => world.api.objects<ReplicaSet>(resources.replicasets);
  const read = () => world.api.object<Deployment>(resources.deployments, target)!;
  const images = () => pods().map(({ spec }) => spec.containers[0]!.image);
  const events = () => world.api.objects<Event>(resources.events).map(({ message }) => message ?? '');
  const change = (body: unknown) => world.api.patch(resources.deployments, target, { type: 'merge', body });
  const setImage = (image: string) => change({ spec: { template: { spec: { containers: [{ name: 'c', image }] } } } });

  beforeEach(async () => {
    world = await startWorld((environment) =>
      startControllers({
        ...environment,
        podNetwork: '10.244.0.0/16',
        logger: silentLogger,
        controllers: [deploymentController, replicaSetController],
      }),
    );
  });

  afterEach(() => world.stop());

  it('makes exactly the wanted Pods and reports them', async () => {
    await world.api.create(resources.deployments, deployment());
    await world.converge();
    expect(pods()).toHaveLength(3);
    const creations = world.api.calls.filter(
      ({ verb, resource, subresource }) => verb === 'create' && resource.plural === 'pods' && !subresource,
    );
    expect(creations).toHaveLength(3);
    const [set] = sets();
    expect(set!.metadata.name).toMatch(/^web-[bcdfghjklmnpqrstvwxz2456789]{6,10}$/);
    expect(set!.metadata.annotations).toMatchObject({
      'deployment.kubernetes.io/revision': '1',
      'deployment.kubernetes.io/desired-replicas': '3',
      'deployment.kubernetes.io/max-replicas': '4',
      'kubernetes.io/change-cause': 'first',
    });
    expect(pods()[0]!.metadata.labels!['pod-template-hash']).toBe(set!.metadata.labels!['pod-template-hash']);
    expect(read().status).toMatchObject({
      replicas: 3,
      updatedReplicas: 3,
      readyReplicas: 3,
      availableReplicas: 3,
      observedGeneration: 1,
    });
    expect(read().status!.conditions).toEqual([
      expect.objectContaining({ type: 'Available', status: 'True', reason: 'MinimumReplicasAvailable' }),
      expect.objectContaining({
        type: 'Progressing',
        reason: 'NewReplicaSetAvailable',
        message: `ReplicaSet "${set!.metadata.name}" has successfully progressed.`,
      }),
    ]);
    expect(events()).toContain(`Scaled up replica set ${set!.metadata.name} from 0 to 3`);
    expect(events()).toContain(`Created pod: ${pods()[0]!.metadata.name}`);
  });

  it('scales up, down and to zero', async () => {
    await world.api.create(resources.deployments, deployment());
    for (const replicas of [5, 1, 0, 2]) {
      await change({ spec: { replicas } });
      await world.converge();
      expect(pods()).toHaveLength(replicas);
      expect(read().status!.availableReplicas ?? 0).toBe(replicas);
    }
    expect(sets()).toHaveLength(1);
  });

  it('replaces Pods within its bounds, keeps the old revision, and rolls back to it', async () => {
    await world.api.create(resources.deployments, deployment({ replicas: 4 }));
    await world.converge();
    let most = 0;
    let fewest = 99;
    world.api.intercept(() => {
      const ready = pods().filter(({ status, metadata }) => status?.phase === 'Running' && !metadata.deletionTimestamp);
      most = Math.max(most, pods().filter(({ metadata }) => !metadata.deletionTimestamp).length);
      fewest = Math.min(fewest, ready.length);
    });
    await setImage('web:2');
    await world.converge();
    expect(images()).toEqual(['web:2', 'web:2', 'web:2', 'web:2']);
    expect(most).toBeLessThanOrEqual(5);
    expect(fewest).toBeGreaterThanOrEqual(3);
    expect(read().metadata.annotations!['deployment.kubernetes.io/revision']).toBe('2');
    const old = sets().find(({ spec }) => spec.template.spec.containers[0]!.image === 'web:1')!;
    expect(old.spec.replicas).toBe(0);
    await setImage('web:1');
    await world.converge();
    expect(images()).toEqual(['web:1', 'web:1', 'web:1', 'web:1']);
    expect(sets()).toHaveLength(2);
    expect(read().metadata.annotations!['deployment.kubernetes.io/revision']).toBe('3');
    const again = sets().find(({ metadata }) => metadata.uid === old.metadata.uid)!;
    expect(again.metadata.annotations!['deployment.kubernetes.io/revision-history']).toBe('1');
  });

  it('waits for a new Pod that does not become ready, and says so after the deadline', async () => {
    await world.api.create(resources.deployments, deployment({ progressDeadlineSeconds: 60 }));
    await world.converge();
    world.hold = ({ spec }) => spec.containers[0]!.image === 'web:bad';
    await setImage('web:bad');
    await world.converge();
    expect(images().toSorted()).toEqual(['web:1', 'web:1', 'web:1', 'web:bad']);
    expect(read().status).toMatchObject({ unavailableReplicas: 1, updatedReplicas: 1 });
    await world.clock.advance(62_000);
    await world.converge();
    expect(read().status!.conditions).toContainEqual(
      expect.objectContaining({ type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded' }),
    );
    await setImage('web:1');
    await world.converge();
    expect(images()).toEqual(['web:1', 'web:1', 'web:1']);
  });

  it('recreates: no new Pod before the last old one is gone', async () => {
    await world.api.create(resources.deployments, deployment({ strategy: { type: 'Recreate' } }));
    await world.converge();
    let mixed = false;
    world.api.intercept(() => {
      mixed ||= new Set(images()).size > 1;
    });
    await setImage('web:2');
    await world.converge();
    expect(images()).toEqual(['web:2', 'web:2', 'web:2']);
    expect(mixed).toBe(false);
  });

  it('does not roll while paused but scales, and goes on when resumed', async () => {
    await world.api.create(resources.deployments, deployment());
    await world.converge();
    await change({ spec: { paused: true } });
    await setImage('web:2');
    await change({ spec: { replicas: 4 } });
    await world.converge();
    expect(images()).toEqual(['web:1', 'web:1', 'web:1', 'web:1']);
    expect(read().status!.conditions).toContainEqual(expect.objectContaining({ reason: 'DeploymentPaused' }));
    await change({ spec: { paused: false } });
    await world.converge();
    expect(images()).toEqual(['web:2', 'web:2', 'web:2', 'web:2']);
  });

  it('keeps only as many old revisions as asked for', async () => {
    await world.api.create(resources.deployments, deployment({ revisionHistoryLimit: 1, replicas: 1 }));
    for (const image of ['web:1', 'web:2', 'web:3', 'web:4']) {
      await setImage(image);
      await world.converge();
    }
    expect(sets().map(({ spec }) => spec.template.spec.containers[0]!.image)).toEqual(['web:3', 'web:4']);
  });

  it('replaces a Pod that is deleted, releases one that no longer matches and adopts one that does', async () => {
    await world.api.create(resources.deployments, deployment({ replicas: 2 }));
    await world.converge();
    const [first, second] = pods();
    await world.api.delete(resources.pods, { namespace: 'default', name: first!.metadata.name! });
    await world.converge();
    expect(pods()).toHaveLength(2);
    const name = { namespace: 'default', name: second!.metadata.name! };
    await world.api.patch(resources.pods, name, { type: 'merge', body: { metadata: { labels: { app: 'debug' } } } });
    await world.converge();
    expect(pods()).toHaveLength(3);
    expect(world.api.object<Pod>(resources.pods, name)!.metadata.ownerReferences ?? []).toEqual([]);
    await world.api.patch(resources.pods, name, { type: 'merge', body: { metadata: { labels: { app: 'web' } } } });
    await world.converge();
    expect(pods().filter(({ metadata }) => metadata.ownerReferences?.length)).toHaveLength(2);
    expect(pods()).toHaveLength(2);
  });

  it('says why Pods cannot be created and tries again', async () => {
    const release = world.api.intercept(({ verb, resource, subresource }) => {
      if (verb === 'create' && resource.plural === 'pods' && !subresource) throw new Error('quota exceeded');
    });
    await world.api.create(resources.deployments, deployment());
    await world.clock.advance(100);
    expect(sets()[0]!.status!.conditions).toContainEqual(
      expect.objectContaining({ type: 'ReplicaFailure', reason: 'FailedCreate', message: 'quota exceeded' }),
    );
    expect(read().status!.conditions).toContainEqual(expect.objectContaining({ type: 'ReplicaFailure' }));
    expect(events()).toContain('Error creating: quota exceeded');
    release();
    await world.clock.advance(60_000);
    await world.converge();
    expect(pods()).toHaveLength(3);
    expect(read().status!.conditions!.map(({ type }) => type)).toEqual(['Available', 'Progressing']);
  });
});
