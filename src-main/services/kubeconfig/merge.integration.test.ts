import { mkdir, mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { kubeconfigEntries } from './kubeconfig';
import { mergeIntoFile } from './merge';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'pilothouse-kubeconfig-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const entries = kubeconfigEntries({
  entry: 'pilothouse-default',
  server: 'https://127.0.0.1:6443',
  certificateAuthority: 'CA',
  user: { certificate: 'CERT', key: 'KEY' },
});

it('writes a new file privately', async () => {
  const path = join(directory, 'kube', 'config');
  const result = await mergeIntoFile(path, entries);
  expect(result).toMatchObject({ path, changed: true, backup: undefined });
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect(result.diff.join('\n')).toContain('client-key-data: (not shown)');
  expect((await mergeIntoFile(path, entries)).changed).toBe(false);
});

it('keeps the former content and follows a symbolic link', async () => {
  await mkdir(join(directory, 'real'));
  const real = join(directory, 'real', 'config');
  await writeFile(real, 'apiVersion: v1\nkind: Config\n');
  const link = join(directory, 'config');
  await symlink(real, link);
  const result = await mergeIntoFile(link, entries);
  expect(result.path).toBe(real);
  expect(await readFile(result.backup!, 'utf8')).toBe('apiVersion: v1\nkind: Config\n');
  expect(await readFile(link, 'utf8')).toContain('pilothouse-default');
});

it('leaves a file alone that it cannot understand or that is locked', async () => {
  const path = join(directory, 'config');
  await writeFile(path, 'kind: Pod\n');
  await expect(mergeIntoFile(path, entries)).rejects.toMatchObject({ code: 'KUBECONFIG_INVALID' });
  expect(await readFile(path, 'utf8')).toBe('kind: Pod\n');
  await writeFile(`${path}.lock`, '');
  await expect(mergeIntoFile(path, entries)).rejects.toMatchObject({ code: 'KUBECONFIG_LOCKED' });
});
