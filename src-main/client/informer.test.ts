import { describe, expect, it } from 'vitest';
import { resources, type ConfigMap } from '../api';
import { silentLogger } from '../kit';
import { FakeApi, statusError } from '../testkit/fake-api';
import { FakeClock, settle } from '../testkit/fake-clock';
import { createInformer } from './informer';

const configMap = (name: string, value = '1'): ConfigMap => ({ metadata: { name, namespace: 'n' }, data: { value } });

function start(options: { maxBackoffMs?: number } = {}) {
  const clock = new FakeClock();
  const api = new FakeApi({ clock });
  const informer = createInformer<ConfigMap>({
    client: api,
    resource: resources.configmaps,
    logger: silentLogger,
    clock,
    random: () => 0,
    ...options,
  });
  informer.addIndex('value', ({ data }) => [data?.['value'] ?? '']);
  const told: string[] = [];
  informer.addHandler({
    add: ({ metadata }) => told.push(`+${metadata.name}`),
    update: (old, { data }) => told.push(`${old.data?.['value']}>${data?.['value']}`),
    delete: ({ metadata }) => told.push(`-${metadata.name}`),
  });
  const controller = new AbortController();
  return { api, clock, informer, told, controller };
}

describe('informer', () => {
  it('lists, follows changes, and keeps its indexes', async () => {
    const { api, informer, told, controller } = start();
    await api.create(resources.configmaps, configMap('a'));
    const ended = informer.start(controller.signal);
    await informer.waitForSync(controller.signal);
    expect(informer.hasSynced()).toBe(true);
    await api.create(resources.configmaps, configMap('b'));
    await api.patch(
      resources.configmaps,
      { namespace: 'n', name: 'a' },
      { type: 'merge', body: { data: { value: '2' } } },
    );
    await settle();
    expect(informer.lister.byIndex('value', '2').map(({ metadata }) => metadata.name)).toEqual(['a']);
    expect(informer.lister.list('n')).toHaveLength(2);
    await api.delete(resources.configmaps, { namespace: 'n', name: 'a' });
    await settle();
    expect(told).toEqual(['+a', '+b', '1>2', '-a']);
    expect(informer.lister.get('n/a')).toBeUndefined();
    expect(Object.isFrozen(informer.lister.get('n/b')?.data)).toBe(true);
    controller.abort();
    await ended;
  });

  it('lists anew after 410 and tells the differences as changes', async () => {
    const { api, informer, told, controller } = start();
    await api.create(resources.configmaps, configMap('a'));
    await api.create(resources.configmaps, configMap('b'));
    const ended = informer.start(controller.signal);
    await settle();
    told.length = 0;
    const release = api.intercept(({ verb }) => {
      if (verb === 'watch') throw statusError(410, 'Expired', 'too old');
    });
    api.endWatches();
    await api.delete(resources.configmaps, { namespace: 'n', name: 'a' });
    await api.update(resources.configmaps, configMap('b', '5'));
    release();
    await settle(50);
    expect(told.toSorted()).toEqual(['-a', '1>5']);
    controller.abort();
    await ended;
  });

  it('tries again with growing delays while the server cannot be reached, without listing twice', async () => {
    const { api, clock, informer, controller } = start();
    let failures = 3;
    api.intercept(({ verb }) => {
      if (verb === 'list' && failures-- > 0) throw new Error('connection refused');
    });
    const ended = informer.start(controller.signal);
    await settle();
    expect(informer.hasSynced()).toBe(false);
    await clock.advance(200);
    await clock.advance(400);
    expect(informer.hasSynced()).toBe(false);
    await clock.advance(800);
    expect(informer.hasSynced()).toBe(true);
    api.endWatches(new Error('connection reset'));
    await settle();
    await clock.advance(200);
    expect(api.calls.filter(({ verb }) => verb === 'list')).toHaveLength(4);
    expect(api.calls.filter(({ verb }) => verb === 'watch')).toHaveLength(2);
    controller.abort();
    await ended;
  });

  it('never waits longer than it was told to', async () => {
    const { api, clock, informer, controller } = start({ maxBackoffMs: 5000 });
    let down = true;
    api.intercept(({ verb }) => {
      if (verb === 'list' && down) throw new Error('connection refused');
    });
    const ended = informer.start(controller.signal);
    for (let second = 0; second < 60; second++) await clock.advance(1000);
    expect(informer.hasSynced()).toBe(false);
    down = false;
    await clock.advance(5000);
    expect(informer.hasSynced()).toBe(true);
    controller.abort();
    await ended;
  });

  it('goes on when a handler throws, and rejects a wait for sync that is aborted', async () => {
    const { api, informer, told, controller } = start();
    informer.addHandler({
      add: () => {
        throw new Error('broken handler');
      },
    });
    const waiting = informer.waitForSync(controller.signal);
    controller.abort(new Error('stop'));
    await expect(waiting).rejects.toThrow('stop');
    const second = new AbortController();
    await api.create(resources.configmaps, configMap('a'));
    const ended = informer.start(second.signal);
    await settle();
    expect(told).toEqual(['+a']);
    second.abort();
    await ended;
  });
});
