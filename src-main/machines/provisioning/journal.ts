// The last lines of units' journals on a machine, for failures shown to a person.

import type { SshSession } from '../machine';
import type { Diagnosis } from './step';

const lines = 30;
const deadlineMs = 10_000;

export async function journal(session: () => Promise<SshSession>, ...units: string[]): Promise<Diagnosis> {
  const command = `journalctl --no-pager -o cat -n ${lines} ${units.map((unit) => `-u ${unit}`).join(' ')}`;
  const { stdout } = await (await session()).run(command, { deadlineMs, allowFailure: true });
  return { command, outputTail: stdout.trimEnd() };
}
