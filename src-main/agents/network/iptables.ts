// Writing iptables rules so that running it again changes nothing: our own chains are replaced whole by
// iptables-restore --noflush, and one jump from each built-in chain is kept. A jump that must not be seen before or
// without its rules goes into the same payload as they do.

import type { RunCommand } from '../process/command';

export type Table = 'nat' | 'filter' | 'mangle';

export interface Jump {
  table: Table;
  chain: string;
  target: string;
  /** Match words before the target. */
  match?: readonly string[];
  /** At the start of the chain, before what others put there. */
  first?: boolean;
}

const wait = ['-w', '5'];

const ruleOf = (jump: Jump): string[] => [...(jump.match ?? []), '-j', jump.target];

const placeOf = (jump: Jump): string[] => (jump.first ? ['-I', jump.chain, '1'] : ['-A', jump.chain]);

async function hasJump(run: RunCommand, jump: Jump): Promise<boolean> {
  const check = ['iptables', ...wait, '-t', jump.table, '-C', jump.chain, ...ruleOf(jump)];
  return (await run(check, { allow: [0, 1, 2] })).code === 0;
}

export async function ensureJump(run: RunCommand, jump: Jump): Promise<void> {
  if (await hasJump(run, jump)) return;
  await run(['iptables', ...wait, '-t', jump.table, ...placeOf(jump), ...ruleOf(jump)]);
}

/** The line of an iptables-restore payload that adds the jump; each such line adds it once more. */
export function jumpLine(jump: Jump): string {
  return [...placeOf(jump), ...ruleOf(jump)].join(' ');
}

/** Those of `jumps` that the kernel lacks, `saved` being what iptables-save says of each table. */
export async function missingJumps(
  run: RunCommand,
  jumps: readonly Jump[],
  saved: Partial<Record<Table, string>>,
): Promise<Jump[]> {
  const missing: Jump[] = [];
  for (const jump of jumps) {
    const line = ['-A', jump.chain, ...ruleOf(jump)].join(' ');
    if (saved[jump.table]?.split('\n').includes(line)) continue;
    // Not taken at its word: a version that writes a rule in other words must not make us add it again and again.
    if (!(await hasJump(run, jump))) missing.push(jump);
  }
  return missing;
}

/** All tables of one payload are exchanged together per table; a mistake in it changes nothing of that table. */
export async function restore(run: RunCommand, payload: string): Promise<void> {
  await run(['iptables-restore', ...wait, '--noflush', '--counters'], { input: payload, timeoutMs: 60_000 });
}
