import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { resources, type Event, type Node, type Pod, type PodSpec } from '../api';
import { silentLogger } from '../kit';
import { startWorld, type World } from '../testkit/controller-world';
import { type Scheduler, startScheduler } from './start-scheduler';

function node(name: string, cpu = '1'): Node {
  return { metadata: { name }, status: { allocatable: { cpu, memory: '1Gi', pods: '10' } } };
}

function pod(name: string, spec: Partial<PodSpec> = {}): Pod {
  const containers = [{ name: 'c', resources: { requests: { cpu: '400m' } } }];
  return { metadata: { name, namespace: 'n' }, spec: { containers, ...spec } };
}

describe('scheduler', () => {
  let world: World;
  let scheduler: Scheduler;
  const read = (name: string) => world.api.object<Pod>(resources.pods, { namespace: 'n', name })!;
  const events = () => world.api.objects<Event>(resources.events).map(({ reason, message }) => `${reason}: ${message}`);
  const create = (object: Pod) => world.api.create(resources.pods, object);

  beforeEach(async () => {
    world = await startWorld(
      async (environment) => {
        scheduler = await startScheduler({ ...environment, logger: silentLogger, random: () => 0.5 });
        return scheduler;
      },
      { bindPods: false },
    );
  });

  afterEach(() => world.stop());

  it('spreads Pods over the nodes and counts those it has just bound', async () => {
    await world.api.create(resources.nodes, node('a'));
    await world.api.create(resources.nodes, node('b'));
    for (const name of ['p1', 'p2', 'p3', 'p4', 'p5']) await create(pod(name));
    await world.converge();
    const places = ['p1', 'p2', 'p3', 'p4', 'p5'].map((name) => read(name).spec.nodeName ?? '-').toSorted();
    expect(places).toEqual(['-', 'a', 'a', 'b', 'b']);
    expect(events()).toContain(`Scheduled: Successfully assigned n/p1 to ${read('p1').spec.nodeName}`);
  });

  it('says why a Pod waits, once, and places it when a node comes', async () => {
    await create(pod('p'));
    await world.converge();
    expect(events()).toEqual(['FailedScheduling: no nodes available to schedule pods']);
    await world.api.create(resources.nodes, node('small', '100m'));
    await world.clock.advance(1000);
    await world.converge();
    const message = '0/1 nodes are available: 1 Insufficient cpu.';
    expect(events()).toContain(`FailedScheduling: ${message}`);
    expect(read('p').status!.conditions).toContainEqual(
      expect.objectContaining({ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message }),
    );
    expect(scheduler.explain('n/p')).toMatchObject({
      message,
      verdicts: [{ node: 'small', plugin: 'NodeResourcesFit', reasons: ['Insufficient cpu'] }],
    });
    expect(scheduler.queue).toMatchObject({ unschedulable: 1 });
    await world.api.create(resources.nodes, node('large'));
    await world.clock.advance(10_000);
    await world.converge();
    expect(read('p').spec.nodeName).toBe('large');
    expect(scheduler.explain('n/p')).toBeUndefined();
  });

  it('uses the room a deleted Pod leaves', async () => {
    await world.api.create(resources.nodes, node('a', '500m'));
    await create(pod('first'));
    await create(pod('second'));
    await world.converge();
    expect(read('second').spec.nodeName).toBeUndefined();
    await world.api.delete(resources.pods, { namespace: 'n', name: 'first' });
    await world.converge();
    await world.clock.advance(1000);
    await world.converge();
    expect(read('second').spec.nodeName).toBe('a');
  });

  it('leaves gated Pods and those of another scheduler alone', async () => {
    await world.api.create(resources.nodes, node('a'));
    await create(pod('gated', { schedulingGates: [{ name: 'wait' }] }));
    await create(pod('other', { schedulerName: 'mine' }));
    await world.converge();
    expect([read('gated'), read('other')].map(({ spec }) => spec.nodeName)).toEqual([undefined, undefined]);
    const body = { spec: { schedulingGates: null } };
    await world.api.patch(resources.pods, { namespace: 'n', name: 'gated' }, { type: 'merge', body });
    await world.converge();
    expect(read('gated').spec.nodeName).toBe('a');
  });

  it('gives the room back when a binding is refused, and tries again', async () => {
    await world.api.create(resources.nodes, node('a'));
    let refused = 0;
    world.api.intercept(({ subresource }) => {
      if (subresource === 'binding' && refused++ === 0) throw new Error('no leader');
    });
    await create(pod('p'));
    await world.converge();
    expect(events()).toEqual(['FailedScheduling: binding rejected: no leader']);
    await world.clock.advance(1000);
    await world.converge();
    expect(read('p').spec.nodeName).toBe('a');
  });
});
