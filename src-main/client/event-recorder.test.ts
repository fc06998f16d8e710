import { describe, expect, it } from 'vitest';
import { resources, type Event } from '../api';
import { silentLogger } from '../kit';
import { FakeApi, statusError } from '../testkit/fake-api';
import { FakeClock } from '../testkit/fake-clock';
import { EventRecorder } from './event-recorder';

const pod = { apiVersion: 'v1', kind: 'Pod', namespace: 'n', name: 'p', uid: 'u' };
const pulled = { type: 'Normal', reason: 'Pulled', message: 'Pulled it' } as const;

function start() {
  const clock = new FakeClock();
  const api = new FakeApi({ clock });
  const recorder = new EventRecorder({ client: api, component: 'kubelet', host: 'n1', logger: silentLogger, clock });
  return { clock, api, recorder, events: () => api.objects<Event>(resources.events) };
}

describe('EventRecorder', () => {
  it('writes an event once and counts repetitions', async () => {
    const { clock, recorder, events } = start();
    recorder.record(pod, pulled);
    await recorder.flush();
    await clock.advance(5000);
    recorder.record(pod, pulled);
    recorder.record(pod, { ...pulled, message: 'Another' });
    await recorder.flush();
    expect(events().map(({ message, count }) => [message, count])).toEqual([
      ['Pulled it', 2],
      ['Another', 1],
    ]);
    expect(events()[0]).toMatchObject({
      involvedObject: pod,
      source: { component: 'kubelet', host: 'n1' },
      firstTimestamp: '2026-01-01T00:00:00Z',
      lastTimestamp: '2026-01-01T00:00:05Z',
    });
  });

  it('writes anew when the event is gone or long ago', async () => {
    const { clock, api, recorder, events } = start();
    recorder.record(pod, pulled);
    await recorder.flush();
    const { namespace, name } = events()[0]!.metadata;
    await api.delete(resources.events, { namespace, name: name! });
    recorder.record(pod, pulled);
    await recorder.flush();
    expect(events()).toHaveLength(1);
    await clock.advance(600_000);
    recorder.record(pod, pulled);
    await recorder.flush();
    expect(events()).toHaveLength(2);
  });

  it('throttles an object that makes too many and survives refusals', async () => {
    const { clock, api, recorder, events } = start();
    api.intercept(({ body }) => {
      if ((body as Event | undefined)?.message === 'no 0') throw statusError(403, 'Forbidden', 'no');
    });
    for (let i = 0; i < 40; i++) recorder.record(pod, { ...pulled, message: `no ${i}` });
    await recorder.flush();
    expect(events()).toHaveLength(24);
    await clock.advance(300_000);
    recorder.record(pod, { ...pulled, message: 'late' });
    recorder.record(pod, { ...pulled, message: 'later' });
    await recorder.flush();
    expect(events()).toHaveLength(25);
  });
});
