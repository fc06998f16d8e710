import { describe, expect, test } from 'vitest';
import type { Container, Pod } from '../../../api';
import type { PodObservation } from '../runtime/runtime';
import { observationOf, podOf, sandbox, seen } from './pod-fixtures';
import { type PlanInput, type PodActions, computePodActions } from './pod-planner';

const one: Container[] = [{ name: 'a', image: 'img' }];
const two: Container[] = [...one, { name: 'b', image: 'img' }];
const init: Container[] = [
  { name: 'i1', image: 'img' },
  { name: 'i2', image: 'img' },
];
const sidecar: Container[] = [{ name: 's', image: 'img', restartPolicy: 'Always' }];

function plan(pod: Pod, observed: PodObservation, more: Partial<PlanInput> = {}): PodActions {
  return computePodActions({
    pod,
    observed,
    backoff: () => ({ waitMs: 0, delayMs: 0 }),
    probes: { livenessFailed: () => false, startupFailed: () => false, started: () => true },
    hashOf: () => 'h',
    ...more,
  });
}

/** A plan in one line, for tables. */
function brief(actions: PodActions): string {
  return [
    actions.killSandbox && 'kill sandbox',
    actions.createSandbox && `sandbox ${actions.createSandbox.attempt}`,
    ...actions.kill.map(({ observed }) => `kill ${observed.id}`),
    ...actions.remove.map((entry) => `remove ${entry.id}`),
    ...actions.start.map((start) => `${start.restart ? 'restart' : 'start'} ${start.container.name}-${start.attempt}`),
    actions.finished && 'finished',
  ]
    .filter(Boolean)
    .join(', ');
}

const up = sandbox();
const down = sandbox({ state: 'exited' });
const ended = (name: string, exitCode: number, more = {}) => seen(name, { state: 'exited', exitCode, ...more });

const rows: [string, Pod, PodObservation, string][] = [
  ['a new Pod gets a sandbox', podOf({ containers: one }), observationOf([], []), 'sandbox 0'],
  ['then its containers', podOf({ containers: two }), observationOf([up], []), 'start a-0, start b-0'],
  ['a running Pod needs nothing', podOf({ containers: one }), observationOf([up], [seen('a')]), ''],
  [
    'a sandbox without an address is of no use',
    podOf({ containers: one }),
    observationOf([sandbox({ ip: '' })], []),
    'kill sandbox, sandbox 1',
  ],
  [
    'but on the host network it is',
    podOf({ containers: one, hostNetwork: true }),
    observationOf([sandbox({ ip: '' })], []),
    'start a-0',
  ],
  [
    'a dead sandbox is made again, with all containers',
    podOf({ containers: one }),
    observationOf([down], [seen('a')]),
    'kill sandbox, sandbox 1',
  ],
  [
    'after which containers of the old one start again',
    podOf({ containers: one }),
    observationOf([sandbox({ id: 'POD-1', attempt: 1 }), down], [ended('a', 137)]),
    'restart a-1',
  ],
  ['an ended container restarts', podOf({ containers: one }), observationOf([up], [ended('a', 0)]), 'restart a-1'],
  [
    'OnFailure: not after success',
    podOf({ containers: one, restartPolicy: 'OnFailure' }),
    observationOf([up], [ended('a', 0)]),
    'finished',
  ],
  [
    'OnFailure: after failure',
    podOf({ containers: one, restartPolicy: 'OnFailure' }),
    observationOf([up], [ended('a', 1)]),
    'restart a-1',
  ],
  [
    'Never: not at all',
    podOf({ containers: two, restartPolicy: 'Never' }),
    observationOf([up], [seen('a'), ended('b', 1)]),
    '',
  ],
  [
    'Never: a dead sandbox is the end',
    podOf({ containers: one, restartPolicy: 'Never' }),
    observationOf([down], [ended('a', 137)]),
    'finished',
  ],
  [
    'init containers come one by one',
    podOf({ containers: one, initContainers: init }),
    observationOf([up], []),
    'start i1-0',
  ],
  [
    'the second waits for the first',
    podOf({ containers: one, initContainers: init }),
    observationOf([up], [seen('i1')]),
    '',
  ],
  [
    'and follows it',
    podOf({ containers: one, initContainers: init }),
    observationOf([up], [ended('i1', 0)]),
    'start i2-0',
  ],
  [
    'then the containers',
    podOf({ containers: one, initContainers: init }),
    observationOf([up], [ended('i1', 0), ended('i2', 0)]),
    'start a-0',
  ],
  [
    'a failed init container starts again',
    podOf({ containers: one, initContainers: init }),
    observationOf([up], [ended('i1', 1)]),
    'restart i1-1',
  ],
  [
    'but with Never it is the end',
    podOf({ containers: one, initContainers: init, restartPolicy: 'Never' }),
    observationOf([up], [ended('i1', 1)]),
    'finished',
  ],
  [
    'init containers of a lost sandbox run again',
    podOf({ containers: one, initContainers: init }),
    observationOf([sandbox({ id: 'POD-1', attempt: 1 })], [ended('i1', 0)]),
    'restart i1-1',
  ],
  [
    'a sidecar starts before',
    podOf({ containers: one, initContainers: sidecar }),
    observationOf([up], []),
    'start s-0',
  ],
  [
    'and stays beside',
    podOf({ containers: one, initContainers: sidecar }),
    observationOf([up], [seen('s')]),
    'start a-0',
  ],
  [
    'a dead sidecar starts again',
    podOf({ containers: one, initContainers: sidecar }),
    observationOf([up], [seen('a'), ended('s', 1)]),
    'restart s-1',
  ],
  [
    'a sidecar ends with the Pod',
    podOf({ containers: one, initContainers: sidecar, restartPolicy: 'Never' }),
    observationOf([up], [ended('a', 0), seen('s')]),
    'kill s-0, finished',
  ],
  [
    'what was made and never started goes away',
    podOf({ containers: one }),
    observationOf([up], [seen('a', { state: 'created' })]),
    'remove a-0, start a-0',
  ],
  [
    'a changed image means a new container',
    podOf({ containers: one }),
    observationOf([up], [seen('a', { hash: 'old' })]),
    'kill a-0',
  ],
  [
    'a container of another sandbox is ended',
    podOf({ containers: one }),
    observationOf([up], [seen('a', { sandboxId: 'POD-9' })]),
    'kill a-0',
  ],
  [
    'two running sandboxes are one too many',
    podOf({ containers: one }),
    observationOf([sandbox({ attempt: 1 }), up], [seen('a')]),
    'kill sandbox, sandbox 2',
  ],
];

describe('computePodActions', () => {
  test.each(rows)('%s', (_title, pod, observed, expected) => {
    expect(brief(plan(pod, observed))).toBe(expected);
  });

  test('a container that crashed waits for its back-off and says so', () => {
    const backoff = () => ({ waitMs: 7000, delayMs: 20_000 });
    const actions = plan(podOf({ containers: one }), observationOf([up], [ended('a', 1)]), { backoff });
    expect(actions.start).toEqual([]);
    expect(actions.wakeInMs).toBe(7000);
    expect(actions.waiting.get('a')).toEqual({
      reason: 'CrashLoopBackOff',
      message: 'back-off 20s restarting failed container=a pod=web_shop(u1)',
    });
  });

  test('failed probes kill, and the startup probe is named first', () => {
    const none = { livenessFailed: () => false, startupFailed: () => false, started: () => true };
    const observed = observationOf([up], [seen('a')]);
    const live = plan(podOf({ containers: one }), observed, { probes: { ...none, livenessFailed: () => true } });
    expect(live.kill[0]!.message).toBe('Container a failed liveness probe, will be restarted');
    const both = { ...none, livenessFailed: () => true, startupFailed: () => true };
    expect(plan(podOf({ containers: one }), observed, { probes: both }).kill[0]!.message).toContain(
      'failed startup probe',
    );
  });

  test('the restart count goes on from what the API last saw', () => {
    const status = { containerStatuses: [{ name: 'a', ready: false, restartCount: 7, image: '', imageID: '' }] };
    expect(brief(plan(podOf({ containers: one }, status), observationOf([up], [ended('a', 1)])))).toBe('restart a-8');
  });
});
