import { describe, expect, it } from 'vitest';
import { type ClusterView, type StepView, stepNames } from '../../contract';
import { PilothouseError } from '../../kit';
import { exitCodeOf } from './exit-codes';
import { describeCluster, describeClusters, describeError, stepLines, table } from './output';

function view(steps: Partial<StepView>[] = []): ClusterView {
  return {
    name: 'default',
    state: 'creating',
    createdAt: 0,
    server: 'https://127.0.0.1:6443',
    kubeconfigPath: '/home/kubeconfig',
    controlPlane: { state: 'running', restarts: 2, residentBytes: 100 * 1024 * 1024 },
    machines: [
      {
        name: 'default-1',
        state: 'running',
        address: '192.168.77.1',
        cpus: 1,
        memoryMiB: 1024,
        diskGiB: 10,
        steps: stepNames.map((step, index) => ({ step, status: 'pending', ...steps[index] })),
      },
    ],
  };
}

describe('stepLines', () => {
  it('tells each change once', () => {
    const running = view([{ status: 'running', detail: 'building', startedAt: 1000 }]);
    const done = view([{ status: 'done', startedAt: 1000, finishedAt: 3500 }, { status: 'skipped' }]);
    expect(stepLines(undefined, running)).toEqual(['  default-1  image        building']);
    expect(stepLines(running, running)).toEqual([]);
    expect(stepLines(running, view([{ status: 'running', detail: 'packing' }]))).toEqual([
      '  default-1  image        packing',
    ]);
    expect(stepLines(running, done)).toEqual([
      '  default-1  image        done in 2.5 s',
      '  default-1  disk         already so',
    ]);
  });

  it('tells the same failure of two machines once', () => {
    const failure = { code: 'IMAGE_BUILD_FAILED', message: 'no mirror' };
    const now = view([{ status: 'failed', failure }]);
    now.machines.push({ ...now.machines[0]!, name: 'default-2' });
    expect(stepLines(undefined, now)).toEqual([
      '  default-1  image        failed: no mirror',
      '  default-2  image        failed: the same as default-1',
    ]);
  });

  it('tells a failure with its command, output and hint', () => {
    const failure = {
      code: 'COMMAND_FAILED',
      message: 'it broke',
      command: 'qemu-img create',
      exitCode: 1,
      outputTail: 'no\nspace\n',
      hint: 'Free some.',
    };
    const [line] = stepLines(view(), view([{ status: 'failed', failure }]));
    expect(line).toBe(
      '  default-1  image        failed: it broke\n    command: qemu-img create (exit code 1)\n    | no\n    | space\n    Free some.',
    );
  });
});

it('describes clusters', () => {
  expect(describeClusters([])).toContain('pilothouse up');
  const text = describeCluster(view([{ status: 'running', detail: 'building' }]));
  expect(text).toContain('default: creating');
  expect(text).toContain('running, restarted 2× (100 MiB resident)');
  expect(text).toContain('image: building');
});

it('pads columns', () => {
  expect(
    table([
      ['a', 'bb'],
      ['ccc', 'd'],
    ]),
  ).toBe('a     bb\nccc   d');
});

it('describes errors for people and for programs, with an exit code', () => {
  const error = new PilothouseError({ code: 'CLUSTER_NOT_FOUND', message: 'no cluster x', hint: 'There is y.' });
  expect(describeError(error, false)).toBe('pilothouse: no cluster x\nThere is y.');
  expect(JSON.parse(describeError(error, true)).error).toMatchObject({ code: 'CLUSTER_NOT_FOUND' });
  expect(exitCodeOf(error)).toBe(4);
  expect(exitCodeOf(new Error('x'))).toBe(1);
});
