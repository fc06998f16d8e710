// Judges the form with the very schema the host applies, and words each field's first problem in the window's language.

import {
  clusterLimits,
  type CreateClusterInput,
  createClusterSchema,
  type EtcdChoice,
} from '../../../src-main/contract/cluster';
import type { HostView } from '../../../src-main/contract';

export type Field = keyof typeof clusterLimits | 'name' | `etcd.${keyof EtcdChoice}`;
export type FieldProblem =
  | { key: 'required' | 'nameFormat' | 'taken' | 'whole' }
  | { key: 'etcdUrl' | 'etcdMissing' | 'etcdSecure' | 'filePath' | 'filePair' }
  | { key: 'tooLong' | 'min' | 'max'; limit: number };

/** The first problem of each field; empty = the host would accept it. */
export function problemsOf(
  input: CreateClusterInput,
  existing: readonly string[],
): Partial<Record<Field, FieldProblem>> {
  const problems: Partial<Record<Field, FieldProblem>> = {};
  const { success, error } = createClusterSchema.safeParse(input);
  if (existing.includes(input.name)) problems.name = { key: 'taken' };
  if (success) return problems;
  for (const issue of error.issues) {
    const field = issue.path.slice(0, 2).join('.') as Field;
    if (problems[field]) continue;
    if (issue.path[0] === 'etcd') problems[field] = { key: etcdProblem(field, issue.code) };
    else if (issue.code === 'too_small') {
      problems[field] = field === 'name' ? { key: 'required' } : { key: 'min', limit: Number(issue.minimum) };
    } else if (issue.code === 'too_big') {
      problems[field] = { key: field === 'name' ? 'tooLong' : 'max', limit: Number(issue.maximum) };
    } else problems[field] = { key: field === 'name' ? 'nameFormat' : 'whole' };
  }
  return problems;
}

function etcdProblem(field: Field, code: string) {
  if (field !== 'etcd.endpoints') return code === 'custom' ? 'filePair' : 'filePath';
  if (code === 'custom') return 'etcdSecure';
  return code === 'too_small' ? 'etcdMissing' : 'etcdUrl';
}

/** What the form holds of an etcd: endpoints with commas or spaces between. */
export type EtcdDraft = Record<keyof EtcdChoice, string>;

export function emptyEtcd(): EtcdDraft {
  return { endpoints: '', caFile: '', certFile: '', keyFile: '' };
}

/** The etcd of a request; nothing when the form is empty: the cluster then has a store of its own. */
export function etcdOf(draft: EtcdDraft): Pick<CreateClusterInput, 'etcd'> {
  const files = (['caFile', 'certFile', 'keyFile'] as const).flatMap((field) => {
    const path = draft[field].trim();
    return path ? [[field, path]] : [];
  });
  const endpoints = draft.endpoints.split(/[\s,]+/).filter((url) => url !== '');
  return endpoints.length > 0 || files.length > 0 ? { etcd: { endpoints, ...Object.fromEntries(files) } } : {};
}

export interface Totals {
  cpus: number;
  memoryMiB: number;
  diskGiB: number;
}

export function totalsOf({ nodes = 0, cpus = 0, memoryMiB = 0, diskGiB = 0 }: CreateClusterInput): Totals {
  const times = (value: number) => (Number.isFinite(value * nodes) ? value * nodes : 0);
  return { cpus: times(cpus), memoryMiB: times(memoryMiB), diskGiB: times(diskGiB) };
}

/** A name that is still free: `dev`, `dev-2`, … */
export function freeName(existing: readonly string[]): string {
  for (let number = 1; ; number += 1) {
    const name = number === 1 ? 'dev' : `dev-${number}`;
    if (!existing.includes(name)) return name;
  }
}

/** Two nodes where they fit, each with at most a quarter of the free memory, between 1 and 2 GiB. */
export function sensibleDefaults(
  host: HostView | undefined,
  existing: readonly string[],
): Required<Omit<CreateClusterInput, 'etcd'>> {
  const name = freeName(existing);
  if (!host) return { name, nodes: 2, cpus: 1, memoryMiB: 1024, diskGiB: 10 };
  const quarter = Math.floor(host.freeMemoryMiB / 4 / 256) * 256;
  const memoryMiB = Math.min(2048, Math.max(1024, quarter));
  const nodes = host.freeMemoryMiB < 2 * memoryMiB + 1024 ? 1 : 2;
  const cpus = Math.max(1, Math.min(2, Math.floor(host.cpus / 4)));
  const diskGiB = Math.max(clusterLimits.diskGiB.min, Math.min(10, Math.floor(host.freeDiskGiB / nodes / 2)));
  return { name, nodes, cpus, memoryMiB, diskGiB };
}
