import { describe, expect, it } from 'vitest';
import type { MachineView, StepView } from '../../../src-main/contract';
import { elapsedOf, failuresOf, focusOf, overallOf } from './steps';

function machine(name: string, steps: StepView[]): MachineView {
  return { name, state: 'starting', address: '', cpus: 1, memoryMiB: 1024, diskGiB: 10, steps };
}
const done: StepView = { step: 'image', status: 'done', startedAt: 1000, finishedAt: 3000 };
const running: StepView = { step: 'boot', status: 'running', startedAt: 3000 };
const failed: StepView = { step: 'ssh', status: 'failed', startedAt: 3000, finishedAt: 9000, detail: 'refused' };

describe('steps', () => {
  it('counts what is done and when it began', () => {
    const machines = [machine('a', [done, running]), machine('b', [{ step: 'image', status: 'skipped' }, failed])];
    expect(overallOf(machines)).toEqual({ done: 2, total: 4, startedAt: 1000, finishedAt: 9000 });
    expect(overallOf([])).toEqual({ done: 0, total: 0, startedAt: undefined, finishedAt: undefined });
  });

  it('looks first at what failed, then at what is at work', () => {
    const working = machine('a', [done, running]);
    const broken = machine('b', [failed]);
    expect(focusOf([working, broken])?.name).toBe('b');
    expect(focusOf([machine('c', [done]), working])?.name).toBe('a');
    expect(failuresOf([working, broken]).map((item) => [item.machine, item.failure.message])).toEqual([
      ['b', 'refused'],
    ]);
  });

  it('times steps', () => {
    expect(
      [done, running, failed, { step: 'disk', status: 'pending' } as StepView].map((step) => elapsedOf(step, 5000)),
    ).toEqual([2000, 2000, 6000, undefined]);
  });
});
