// Putting a cluster into the person's own kubeconfig: only its three entries are touched, comments and order of the
// rest stay, the current context is set only when there was none. Invariant: a file that cannot be understood is never
// written to.

import { copyFile, lstat, mkdir, open, realpath, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { type Document, isMap, isSeq, parseDocument, type YAMLSeq } from 'yaml';
import { PilothouseError } from '../../kit';
import { errorCode, isMissing, readFileIfPresent, writeFileAtomic } from '../files';
import type { KubeconfigEntries } from './kubeconfig';
import { lineDiff } from './line-diff';

export interface MergeResult {
  path: string;
  /** Where the former content is kept; absent when there was no file or nothing changed. */
  backup?: string;
  changed: boolean;
  /** Lines with "+", "-" or " " in front, secrets left out. */
  diff: string[];
}

/** First file of KUBECONFIG, else ~/.kube/config: the one kubectl itself writes to. */
export function userKubeconfigPath(environment: NodeJS.ProcessEnv = process.env): string {
  const first = (environment['KUBECONFIG'] ?? '').split(delimiter).find((path) => path !== '');
  return first ?? join(environment['HOME'] ?? homedir(), '.kube', 'config');
}

/** The text with these entries in place of those of the same name. Error KUBECONFIG_INVALID. */
export function mergeKubeconfig(present: string, entries: KubeconfigEntries): string {
  const document = parseDocument(present.trim() === '' ? 'apiVersion: v1\nkind: Config\n' : present);
  const problem = document.errors[0];
  if (problem) throw invalid(problem.message);
  if (!isMap(document.contents)) throw invalid('it is not a mapping');
  const kind: unknown = document.get('kind');
  if (kind !== undefined && kind !== 'Config') throw invalid(`kind is ${String(kind)}, not Config`);
  place(document, 'clusters', entries.cluster);
  place(document, 'users', entries.user);
  place(document, 'contexts', entries.context);
  if (!document.get('current-context')) document.set('current-context', entries.context.name);
  return document.toString({ lineWidth: 0 });
}

function place(document: Document, key: 'clusters' | 'users' | 'contexts', entry: { name: string }): void {
  const value: unknown = document.get(key);
  if (value === undefined || value === null) {
    document.set(key, document.createNode([entry]));
    return;
  }
  if (!isSeq(value)) throw invalid(`${key} is not a list`);
  const list = value as YAMLSeq;
  list.flow = false;
  const index = list.items.findIndex((item) => isMap(item) && item.get('name') === entry.name);
  const node = document.createNode(entry);
  if (index >= 0) list.items[index] = node;
  else list.items.push(node);
}

/** Merges into the file at `path`, keeping the former content beside it as `.bak`. */
export async function mergeIntoFile(path: string, entries: KubeconfigEntries): Promise<MergeResult> {
  const target = await followLink(path);
  return withLock(target, async () => {
    const present = await readFileIfPresent(target);
    const merged = mergeKubeconfig(present ?? '', entries);
    const diff = lineDiff(redact(present ?? ''), redact(merged));
    if (merged === present) return { path: target, changed: false, diff: [] };
    const backup = present === undefined ? undefined : `${target}.bak`;
    if (backup) await copyFile(target, backup);
    await writeFileAtomic(target, merged, { mode: 0o600 });
    return { path: target, backup, changed: true, diff };
  });
}

/** Renaming onto a symbolic link would replace the link: write what it points to. */
async function followLink(path: string): Promise<string> {
  try {
    return (await lstat(path)).isSymbolicLink() ? await realpath(path) : path;
  } catch (error) {
    if (isMissing(error)) return path;
    throw error;
  }
}

/** The lock file kubectl uses, so that both never write at once. */
async function withLock<T>(path: string, work: () => Promise<T>): Promise<T> {
  const lock = `${path}.lock`;
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  try {
    await (await open(lock, 'wx', 0o600)).close();
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw error;
    throw new PilothouseError({
      code: 'KUBECONFIG_LOCKED',
      message: `${path} is being written by another program (${lock} exists)`,
      hint: `Try again; remove ${lock} when no kubectl is running.`,
      retryable: true,
    });
  }
  try {
    return await work();
  } finally {
    await rm(lock, { force: true });
  }
}

function redact(text: string): string {
  return text.replace(/((?:client-key-data|token|password):\s*)\S+/g, '$1(not shown)');
}

function invalid(problem: string): PilothouseError {
  return new PilothouseError({
    code: 'KUBECONFIG_INVALID',
    message: `The kubeconfig cannot be merged into: ${problem}`,
    hint: 'Repair it, or set KUBECONFIG to another file. Nothing was changed.',
  });
}
