import { describe, expect, it } from 'vitest';
import type { KubeObject } from '../../src-main/api';
import { ResourceFeed } from './resource-feed';

const object = (name: string, uid = name): KubeObject => ({ metadata: { name, uid } });
const snapshot = (...items: KubeObject[]) =>
  ({ type: 'snapshot', list: { apiVersion: 'v1', kind: 'List', metadata: { resourceVersion: '5' }, items } }) as const;

function feed() {
  const frames: (() => void)[] = [];
  const made = new ResourceFeed((publish) => frames.push(publish));
  const frame = () => frames.splice(0).forEach((publish) => publish());
  const names = () => made.items.value.map((item) => item.metadata.name);
  return { made, frame, frames, names };
}

describe('ResourceFeed', () => {
  it('publishes a snapshot and its changes once per frame', () => {
    const { made, frame, frames, names } = feed();
    made.receive(snapshot(object('a'), object('b')));
    made.receive({
      type: 'events',
      resourceVersion: '9',
      events: [
        { type: 'DELETED', object: object('a') },
        { type: 'ADDED', object: object('c') },
        { type: 'BOOKMARK', object: object('') },
      ],
    });
    expect(made.state.value).toBe('loading');
    expect(frames).toHaveLength(1);
    frame();
    expect(names()).toEqual(['b', 'c']);
    expect(made.state.value).toBe('live');
    expect(made.resourceVersion).toBe('9');
  });

  it('tells a re-created object of the same name from the old one', () => {
    const { made, frame } = feed();
    made.receive(snapshot(object('a', 'first')));
    made.receive({
      type: 'events',
      resourceVersion: '6',
      events: [
        { type: 'ADDED', object: object('a', 'second') },
        { type: 'DELETED', object: object('a', 'first') },
      ],
    });
    frame();
    expect(made.items.value.map((item) => item.metadata.uid)).toEqual(['second']);
  });

  it('keeps what is shown while stale, explains what never came, and heals', () => {
    const { made, frame, names } = feed();
    made.interrupted({ code: 'X', message: 'refused', details: {} });
    expect(made.state.value).toBe('failed');
    made.receive(snapshot(object('a')));
    frame();
    made.receive({ type: 'stale', reason: 'restarting' });
    expect([made.state.value, names(), made.failure.value?.message]).toEqual(['stale', ['a'], 'restarting']);
    made.receive({ type: 'events', resourceVersion: '7', events: [] });
    frame();
    expect([made.state.value, made.failure.value]).toEqual(['live', undefined]);
  });

  it('replaces everything on a new snapshot', () => {
    const { made, frame, names } = feed();
    made.receive(snapshot(object('a')));
    made.receive(snapshot(object('z')));
    frame();
    expect(names()).toEqual(['z']);
  });
});
