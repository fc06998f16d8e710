import { expect, it } from 'vitest';
import { type Pod, type PodStatus, resources } from '../../../api';
import { silentLogger } from '../../../kit';
import { FakeApi } from '../../../testkit/fake-api';
import { FakeClock } from '../../../testkit/fake-clock';
import { StatusReporter } from './status-reporter';

const name = { namespace: 'default', name: 'web' };
const status = (ready: 'True' | 'False'): PodStatus => ({
  phase: 'Running',
  conditions: [{ type: 'Ready', status: ready }],
});

async function world() {
  const clock = new FakeClock();
  const client = new FakeApi({ clock });
  await client.create(resources.pods, {
    metadata: { ...name },
    spec: { nodeName: 'a', containers: [{ name: 'c', image: 'x' }] },
  } as Pod);
  const signal = new AbortController().signal;
  const reporter = new StatusReporter({ client, clock, logger: silentLogger, signal });
  const pod = () => client.get<Pod>(resources.pods, name);
  const patches = () => client.calls.filter((call) => call.verb === 'patch').length;
  return { client, reporter, pod, patches };
}

it('reports a status once, and nothing while it stays the same', async () => {
  const { reporter, pod, patches } = await world();
  const before = await pod();
  reporter.publish(before, status('True'));
  await reporter.flush(before.metadata.uid!);
  expect((await pod()).status?.conditions?.[0]?.status).toBe('True');
  // The informer may still hand over the Pod as it was before our own write.
  reporter.publish(before, status('True'));
  reporter.publish(await pod(), status('True'));
  await reporter.flush(before.metadata.uid!);
  expect(patches()).toBe(1);
});

it('puts right what others wrote over it: Pods of a node that was silent became ready again only by luck', async () => {
  const { client, reporter, pod, patches } = await world();
  const before = await pod();
  reporter.publish(before, status('True'));
  await reporter.flush(before.metadata.uid!);
  await client.patch(resources.pods, name, { type: 'merge', subresource: 'status', body: { status: status('False') } });
  reporter.publish(await pod(), status('True'));
  await reporter.flush(before.metadata.uid!);
  expect((await pod()).status?.conditions?.[0]?.status).toBe('True');
  expect(patches()).toBe(3);
});
