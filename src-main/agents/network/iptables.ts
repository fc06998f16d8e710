// Writing iptables rules so that running it again changes nothing: our own chains are replaced whole by
// iptables-restore --noflush, and one jump from each built-in chain is kept.

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

export async function ensureJump(run: RunCommand, jump: Jump): Promise<void> {
  const rule = [...(jump.match ?? []), '-j', jump.target];
  const check = await run(['iptables', ...wait, '-t', jump.table, '-C', jump.chain, ...rule], { allow: [0, 1, 2] });
  if (check.code === 0) return;
  const verb = jump.first ? ['-I', jump.chain, '1'] : ['-A', jump.chain];
  await run(['iptables', ...wait, '-t', jump.table, ...verb, ...rule]);
}

/** All tables of one payload are exchanged together per table; a mistake in it changes nothing of that table. */
export async function restore(run: RunCommand, payload: string): Promise<void> {
  await run(['iptables-restore', ...wait, '--noflush', '--counters'], { input: payload, timeoutMs: 60_000 });
}

/** Whether a chain exists: it vanishes when someone flushes the tables. */
export async function hasChain(run: RunCommand, table: Table, chain: string): Promise<boolean> {
  const listed = await run(['iptables', ...wait, '-t', table, '-S', chain], { allow: [0, 1, 2] });
  return listed.code === 0;
}
