// Flags into the contract's own requests: the same schemas as the window's form, with errors that name the flag.

import { resolve } from 'node:path';
import {
  type CreateClusterInput,
  type CreateClusterRequest,
  clusterLimits,
  clusterNameSchema,
  createClusterSchema,
} from '../../contract';
import { badUsage } from './exit-codes';

export interface ClusterFlags {
  name?: string;
  nodes?: string;
  cpus?: string;
  memory?: string;
  disk?: string;
  /** The names kube-apiserver gives them. */
  etcdServers?: string;
  etcdCafile?: string;
  etcdCertfile?: string;
  etcdKeyfile?: string;
}

type SizeField = keyof typeof clusterLimits;

const flagOf: Readonly<Record<string, string>> = {
  name: '--name',
  nodes: '--nodes',
  cpus: '--cpus',
  memoryMiB: '--memory',
  diskGiB: '--disk',
  'etcd.endpoints': '--etcd-servers',
  'etcd.caFile': '--etcd-cafile',
  'etcd.certFile': '--etcd-certfile',
  'etcd.keyFile': '--etcd-keyfile',
};

/** Error BAD_USAGE. Absent flags stay absent, so that a caller can tell them from defaults. */
export function parseClusterFlags(flags: ClusterFlags): Partial<CreateClusterRequest> & { name: string } {
  const input: Record<string, unknown> = { name: flags.name ?? 'default' };
  if (flags.nodes !== undefined) input['nodes'] = wholeNumber(flags.nodes, 'nodes');
  if (flags.cpus !== undefined) input['cpus'] = wholeNumber(flags.cpus, 'cpus');
  if (flags.memory !== undefined) input['memoryMiB'] = size(flags.memory, 'memoryMiB');
  if (flags.disk !== undefined) input['diskGiB'] = size(flags.disk, 'diskGiB');
  const etcd = etcdOf(flags);
  if (etcd) input['etcd'] = etcd;
  completeRequest(input as CreateClusterInput);
  return input as Partial<CreateClusterRequest> & { name: string };
}

/** The whole request with its defaults. Error BAD_USAGE. */
export function completeRequest(input: CreateClusterInput): CreateClusterRequest {
  const result = createClusterSchema.safeParse(input);
  if (result.success) return result.data;
  const issue = result.error.issues[0]!;
  const field = issue.path[0] === 'etcd' ? issue.path.slice(0, 2).join('.') : String(issue.path[0]);
  const given = issue.path.reduce<unknown>((value, key) => (value as Record<PropertyKey, unknown>)?.[key], input);
  throw badUsage(
    `${flagOf[field] ?? field} ${given === undefined ? '' : String(given)}`.trimEnd() + `: ${issue.message}`,
    allowed(field),
  );
}

/** What the host is told of an etcd: its folder is another, so paths become absolute here. */
function etcdOf(flags: ClusterFlags): Record<string, unknown> | undefined {
  const { etcdServers, etcdCafile, etcdCertfile, etcdKeyfile } = flags;
  const files = { caFile: etcdCafile, certFile: etcdCertfile, keyFile: etcdKeyfile };
  const given = Object.entries(files).flatMap(([field, path]) => (path ? [[field, resolve(path)]] : []));
  if (etcdServers === undefined && given.length === 0) return undefined;
  const endpoints = (etcdServers ?? '').split(',').flatMap((url) => url.trim() || []);
  return { endpoints, ...Object.fromEntries(given) };
}

/** Error BAD_USAGE naming `flag`. */
export function parseClusterName(name: string, flag = '--name'): string {
  const result = clusterNameSchema.safeParse(name);
  if (result.success) return result.data;
  throw badUsage(`${flag} ${name}: ${result.error.issues[0]!.message}`, allowed('name'));
}

/** Whole seconds from "90", "90s", "15m", "1h". Error BAD_USAGE. */
export function parseSeconds(text: string, flag: string): number {
  const match = /^(\d{1,6})(s|m|h)?$/.exec(text);
  const seconds = match ? Number(match[1]) * { s: 1, m: 60, h: 3600 }[(match[2] ?? 's') as 's' | 'm' | 'h'] : 0;
  if (seconds > 0) return seconds;
  throw badUsage(`${flag} ${text}: not a time`, 'Allowed: a number of seconds, or such as 90s, 15m, 1h.');
}

/** Error BAD_USAGE. */
export function parsePort(text: string, flag: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (port >= 1 && port <= 65_535) return port;
  throw badUsage(`${flag} ${text}: not a port`, 'Allowed: 1 to 65535.');
}

function wholeNumber(text: string, field: SizeField): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw badUsage(`${flagOf[field]} ${text}: a whole number is expected`, allowed(field));
}

const unitsInMiB: Readonly<Record<string, number>> = { Mi: 1, M: 1, Gi: 1024, G: 1024 };

/** "1024" in the field's own unit, or with a unit: 512Mi, 2Gi. */
function size(text: string, field: 'memoryMiB' | 'diskGiB'): number {
  const match = /^(\d{1,9})(Mi|Gi|M|G)?$/.exec(text);
  if (!match) throw badUsage(`${flagOf[field]} ${text}: not a size`, allowed(field));
  const amount = Number(match[1]);
  if (match[2] === undefined) return amount;
  const mebibytes = amount * unitsInMiB[match[2]]!;
  return field === 'memoryMiB' ? mebibytes : mebibytes / 1024;
}

function allowed(field: string): string {
  if (field === 'name') return 'Allowed: at most 30 lower-case letters, digits and "-", beginning with a letter.';
  if (field.startsWith('etcd.')) {
    return 'Allowed: --etcd-servers URL,URL, for https with --etcd-cafile, --etcd-certfile and --etcd-keyfile.';
  }
  const { min, max } = clusterLimits[field as SizeField];
  const unit: Readonly<Record<string, string>> = {
    memoryMiB: ' MiB, or with a unit: 512Mi, 2Gi',
    diskGiB: ' GiB, or with a unit: 10Gi',
  };
  return `Allowed: ${min} to ${max}${unit[field] ?? ''}.`;
}
