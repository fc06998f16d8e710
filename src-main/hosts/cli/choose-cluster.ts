// Which cluster a command means when it does not say: the only one there is, else "default". Works without a host.

import { silentLogger } from '../../kit';
import { createClusterStore, type HomePaths } from '../../services';
import { parseClusterName } from './flags';

export interface Choice {
  /** The flag that names it, for errors. */
  flag?: string;
  /** A machine of the cluster that is meant. */
  machine?: string;
}

/** Error BAD_USAGE naming the flag. */
export async function chooseCluster(paths: HomePaths, given: string | undefined, choice: Choice = {}): Promise<string> {
  if (given !== undefined) return parseClusterName(given, choice.flag);
  const records = await createClusterStore(paths, silentLogger).list();
  const owner = records.find((record) => record.machines.some(({ name }) => name === choice.machine));
  if (owner) return owner.name;
  return records.length === 1 ? records[0]!.name : 'default';
}
