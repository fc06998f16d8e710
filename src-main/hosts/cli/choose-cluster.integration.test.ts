import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { silentLogger } from '../../kit';
import { type ClusterRecord, createClusterStore, type HomePaths, homePaths } from '../../services';
import { chooseCluster } from './choose-cluster';

let paths: HomePaths;

async function have(...names: string[]): Promise<void> {
  for (const name of names) {
    const record: ClusterRecord = {
      version: 1,
      name,
      createdAt: 1,
      apiPort: 6443,
      networks: { node: '192.168.77.0/24', pod: '10.244.0.0/16', service: '10.96.0.0/12' },
      wanted: 'stopped',
      provisioned: true,
      machines: [{ name: `${name}-1`, number: 1, cpus: 1, memoryMiB: 1024, diskGiB: 10 }],
    };
    await createClusterStore(paths, silentLogger).write(record);
  }
}

beforeEach(async () => {
  paths = homePaths(await mkdtemp(join(tmpdir(), 'pilothouse-choose-')));
});
afterEach(() => rm(paths.directory, { recursive: true, force: true }));

describe('the cluster a command means', () => {
  it('is "default" when there is none', async () => expect(await chooseCluster(paths, undefined)).toBe('default'));

  it('is the only one there is', async () => {
    await have('dev');
    expect(await chooseCluster(paths, undefined)).toBe('dev');
    expect(await chooseCluster(paths, 'other')).toBe('other');
  });

  it('is "default" among several, unless a machine tells', async () => {
    await have('dev', 'prod');
    expect(await chooseCluster(paths, undefined)).toBe('default');
    expect(await chooseCluster(paths, undefined, { machine: 'prod-1' })).toBe('prod');
  });

  it('is refused by its flag when it is no name', async () => {
    await expect(chooseCluster(paths, 'Not A Name', { flag: '--cluster' })).rejects.toThrow('--cluster Not A Name');
  });
});
