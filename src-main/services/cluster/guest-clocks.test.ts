import { describe, expect, it } from 'vitest';
import { silentLogger } from '../../kit';
import type { SshSession } from '../../machines';
import { GuestClocks } from './guest-clocks';

const now = 1_800_000_000_000;

function guest(driftMs: number) {
  const state = { commands: [] as string[], connects: 0, disposed: 0, lost: false };
  const session: SshSession = {
    async run(command) {
      if (state.lost) throw new Error('the connection is closed');
      state.commands.push(command);
      return { exitCode: 0, stdout: `${now + driftMs}\n`, stderr: '' };
    },
    stream: () => Promise.reject(new Error('not used')),
    writeFile: () => Promise.reject(new Error('not used')),
    dispose: () => void state.disposed++,
  };
  const clocks = new GuestClocks({
    connect: () => {
      state.connects++;
      return Promise.resolve(session);
    },
    logger: silentLogger,
    now: () => now,
  });
  return { state, clocks };
}

describe('GuestClocks', () => {
  it.each([
    ['right', 0, []],
    ['a second late, which is tolerable', -1000, []],
    ['a minute late', -60_000, ['date -s @1800000000.000 >/dev/null']],
    ['an hour ahead', 3_600_000, ['date -s @1800000000.000 >/dev/null']],
  ])('a clock that is %s', async (_, drift, sets) => {
    const { state, clocks } = guest(drift);
    await clocks.check('node-1');
    expect(state.commands.slice(1)).toEqual(sets);
  });

  it('keeps its session, and opens another after it was lost', async () => {
    const { state, clocks } = guest(0);
    await clocks.check('node-1');
    await clocks.check('node-1');
    expect(state.connects).toBe(1);
    state.lost = true;
    await clocks.check('node-1');
    expect(state.disposed).toBe(1);
    state.lost = false;
    await clocks.check('node-1');
    expect(state.connects).toBe(2);
  });
});
