import { expect, it } from 'vitest';
import type { Disposable } from '../../kit';
import type { MachineSpec } from '../../machines';
import { FakeClock } from '../../testkit/fake-clock';
import { followConsole } from './follow-console';

const spec: MachineSpec = { name: 'a-1', number: 1, cpus: 1, memoryMiB: 512, diskGiB: 4 };

function machine(ended: () => void) {
  return {
    spec,
    console(listener: (text: string) => void): Disposable {
      listener('booting');
      return { dispose: ended };
    },
  };
}

it('shows the console of a machine that was made only after it was opened: it stayed empty', async () => {
  const clock = new FakeClock();
  const list: ReturnType<typeof machine>[] = [];
  let ended = 0;
  let text = '';
  const following = followConsole({ list: () => list }, { machine: 'a-1', listener: (more) => (text += more), clock });
  await clock.advance(1000);
  expect(text).toBe('');
  list.push(machine(() => (ended += 1)));
  await clock.advance(1000);
  expect(text).toBe('booting');
  void following.dispose();
  expect(ended).toBe(1);
});

it('stops looking when it is closed before there is a machine', async () => {
  const clock = new FakeClock();
  let looks = 0;
  const following = followConsole(
    {
      list() {
        looks += 1;
        return [];
      },
    },
    { machine: 'a-1', listener: () => undefined, clock },
  );
  void following.dispose();
  await clock.advance(5000);
  expect(looks).toBe(1);
});
