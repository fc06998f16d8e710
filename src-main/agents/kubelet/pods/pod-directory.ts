// Files the kubelet keeps for one Pod: <root>/pods/<uid>/{etc-hosts,resolv.conf,volumes,containers}.

import { mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Pod } from '../../../api';

export class PodDirectories {
  readonly podsRoot: string;

  constructor(root: string) {
    this.podsRoot = join(root, 'pods');
  }

  of(uid: string): string {
    return join(this.podsRoot, uid);
  }

  volume(uid: string, plugin: string, name: string): string {
    return join(this.of(uid), 'volumes', `kubernetes.io~${plugin}`, name);
  }

  hostsFile(uid: string): string {
    return join(this.of(uid), 'etc-hosts');
  }

  resolvConf(uid: string): string {
    return join(this.of(uid), 'resolv.conf');
  }

  terminationMessage(uid: string, container: string, attempt: number): string {
    return join(this.of(uid), 'containers', container, `termination-${attempt}`);
  }

  async uids(): Promise<string[]> {
    await mkdir(this.podsRoot, { recursive: true, mode: 0o750 });
    return readdir(this.podsRoot);
  }

  async remove(uid: string): Promise<void> {
    await rm(this.of(uid), { recursive: true, force: true });
  }
}

export interface HostsInput {
  ip: string;
  hostname: string;
  /** hostname.subdomain.namespace.svc.domain, when the Pod has a subdomain. */
  fqdn?: string;
  aliases?: { ip: string; hostnames?: string[] }[];
}

export function hostsText(input: HostsInput): string {
  const names = input.fqdn ? `${input.fqdn}\t${input.hostname}` : input.hostname;
  const aliases = (input.aliases ?? []).map((alias) => `${alias.ip}\t${(alias.hostnames ?? []).join('\t')}`);
  return [
    '# Kubernetes-managed hosts file.',
    '127.0.0.1\tlocalhost',
    '::1\tlocalhost ip6-localhost ip6-loopback',
    'fe00::0\tip6-localnet',
    'fe00::0\tip6-mcastprefix',
    'fe00::1\tip6-allnodes',
    'fe00::2\tip6-allrouters',
    `${input.ip}\t${names}`,
    ...(aliases.length > 0 ? ['', '# Entries added by HostAliases.', ...aliases] : []),
    '',
  ].join('\n');
}

export interface DnsInput {
  pod: Pod;
  clusterDNS: readonly string[];
  clusterDomain: string;
  /** Text of the node's own resolv.conf. */
  node: string;
}

/** resolv.conf by the Pod's dnsPolicy; ClusterFirst falls back to the node's own while the cluster has no DNS. */
export function resolvConfText(input: DnsInput): string {
  const { pod, clusterDNS, clusterDomain } = input;
  const lines = input.node.split('\n').map((line) => line.trim().split(/\s+/));
  const of = (key: string) => lines.filter((words) => words[0] === key).flatMap((words) => words.slice(1));
  let policy = pod.spec.dnsPolicy ?? 'ClusterFirst';
  if (policy === 'ClusterFirst' && pod.spec.hostNetwork) policy = 'Default';
  if (policy.startsWith('ClusterFirst') && clusterDNS.length === 0) policy = 'Default';
  let nameservers: string[] = [];
  let searches: string[] = [];
  let options: string[] = [];
  if (policy === 'Default') {
    [nameservers, searches, options] = [of('nameserver'), of('search'), of('options')];
  } else if (policy !== 'None') {
    const zones = [`${pod.metadata.namespace}.svc.${clusterDomain}`, `svc.${clusterDomain}`, clusterDomain];
    [nameservers, searches, options] = [[...clusterDNS], [...zones, ...of('search')], ['ndots:5']];
  }
  const own = pod.spec.dnsConfig;
  const given = (own?.options ?? []).map(({ name = '', value }) => (value === undefined ? name : `${name}:${value}`));
  const overridden = new Set((own?.options ?? []).map(({ name }) => name));
  const unique = (values: string[]) => [...new Set(values)];
  const servers = unique([...nameservers, ...(own?.nameservers ?? [])]);
  const search = unique([...searches, ...(own?.searches ?? [])]);
  const all = [...options.filter((option) => !overridden.has(option.split(':')[0])), ...given];
  return [
    ...(search.length > 0 ? [`search ${search.join(' ')}`] : []),
    ...servers.map((server) => `nameserver ${server}`),
    ...(all.length > 0 ? [`options ${all.join(' ')}`] : []),
    '',
  ].join('\n');
}

/** Writes only when the text differs: the file is mounted into running containers, so it keeps its inode. */
export async function writeIfDifferent(path: string, text: string): Promise<void> {
  const present = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (present !== text) await writeFile(path, text, { mode: 0o644 });
}
