// `cluster.json`: what a cluster is, as it was asked for and what was chosen for it. What it does right now is not in
// here: that is found out (processes, machines), so that a crash cannot leave a lie on disk.

import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { clusterNameSchema, etcdSchema } from '../../contract';
import { type Logger, messageOf, PilothouseError } from '../../kit';
import { type HomePaths, isMissing, readFileIfPresent, writeFileAtomic } from '../files';

export const recordVersion = 1;

export const clusterRecordSchema = z.object({
  version: z.literal(recordVersion),
  name: clusterNameSchema,
  /** Milliseconds since the epoch. */
  createdAt: z.int().nonnegative(),
  /** Port of the API server on 127.0.0.1: chosen once, since kubeconfigs and nodes know it. */
  apiPort: z.int().min(1).max(65_535),
  networks: z.object({ node: z.string(), pod: z.string(), service: z.string() }),
  /** Where its state is kept when not in a store of its own. */
  etcd: etcdSchema.optional(),
  /** What the person last asked for; carried on with after a crash or a restart of the host. */
  wanted: z.enum(['running', 'stopped', 'deleted']),
  /** Whether every node was Ready once: tells "creating" from "starting". */
  provisioned: z.boolean(),
  machines: z
    .array(
      z.object({
        name: z.string().min(1),
        number: z.int().positive(),
        cpus: z.int().positive(),
        memoryMiB: z.int().positive(),
        diskGiB: z.int().positive(),
      }),
    )
    .min(1),
});
export type ClusterRecord = z.infer<typeof clusterRecordSchema>;

export interface ClusterStore {
  /** Every readable cluster, by name. What cannot be read is logged and left alone. */
  list(): Promise<ClusterRecord[]>;
  read(name: string): Promise<ClusterRecord | undefined>;
  /** Durable when it resolves. */
  write(record: ClusterRecord): Promise<void>;
  /** Removes the cluster's folder. */
  remove(name: string): Promise<void>;
}

export function createClusterStore(paths: HomePaths, logger: Logger): ClusterStore {
  const read = async (name: string): Promise<ClusterRecord | undefined> => {
    const path = paths.cluster(name).record;
    const text = await readFileIfPresent(path);
    return text === undefined ? undefined : parseRecord(text, path);
  };
  return {
    read,
    async list() {
      const records: ClusterRecord[] = [];
      for (const name of await foldersIn(paths.clusters)) {
        try {
          const record = await read(name);
          if (record) records.push(record);
        } catch (error) {
          logger.error('a cluster cannot be read', { cluster: name, reason: messageOf(error) });
        }
      }
      return records;
    },
    write: (record) => writeFileAtomic(paths.cluster(record.name).record, `${JSON.stringify(record, null, 2)}\n`),
    remove: (name) => rm(paths.cluster(name).directory, { recursive: true, force: true }),
  };
}

/** Error CLUSTER_RECORD_INVALID (details.path). */
export function parseRecord(text: string, path: string): ClusterRecord {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw invalid(path, `not JSON: ${messageOf(error)}`);
  }
  const version = z.looseObject({ version: z.number() }).safeParse(value);
  if (version.success && version.data.version > recordVersion) {
    throw invalid(path, `written by a newer Pilothouse (version ${version.data.version}, known: ${recordVersion})`);
  }
  const result = clusterRecordSchema.safeParse(value);
  if (result.success) return result.data;
  throw invalid(path, z.prettifyError(result.error));
}

function invalid(path: string, reason: string): PilothouseError {
  return new PilothouseError({
    code: 'CLUSTER_RECORD_INVALID',
    message: `${path}: ${reason}`,
    hint: 'Restore the file, or remove its folder.',
    details: { path },
  });
}

async function foldersIn(directory: string): Promise<string[]> {
  try {
    const entries = await readdir(directory, { withFileTypes: true });
    return entries
      .filter((entry) => entry.isDirectory() && clusterNameSchema.safeParse(entry.name).success)
      .map((entry) => entry.name)
      .sort();
  } catch (error) {
    if (isMissing(error)) return [];
    throw new PilothouseError({
      code: 'HOME_UNREADABLE',
      message: `${join(directory)}: ${messageOf(error)}`,
      cause: error,
    });
  }
}
