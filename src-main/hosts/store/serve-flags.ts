// The flags of `store serve`, under etcd's names, checked before anything is opened; each refusal names its flag.

import { type AutoCompactionMode, defaultQuotaBytes, parseAutoCompaction } from '../../store';
import { badUsage } from '../cli/exit-codes';

export interface ServeFlags {
  dataDir: string;
  name: string;
  listenClientUrls: string;
  listenMetricsUrls?: string;
  certFile?: string;
  keyFile?: string;
  trustedCaFile?: string;
  clientCertAuth?: boolean;
  quotaBackendBytes: string;
  maxRequestBytes: string;
  autoCompactionMode: string;
  autoCompactionRetention: string;
}

export interface Address {
  host: string;
  port: number;
}

export interface ServeSettings {
  directory: string;
  name: string;
  listen: Address[];
  listenMetrics: Address[];
  tls: { certFile: string; keyFile: string; trustedCaFile?: string; clientCertAuth: boolean } | undefined;
  quotaBytes: number;
  maxRequestBytes: number;
  compaction: AutoCompactionMode | undefined;
}

/** Error BAD_USAGE. */
export function parseServeFlags(flags: ServeFlags): ServeSettings {
  const client = parseUrls(flags.listenClientUrls, '--listen-client-urls');
  const metrics = flags.listenMetricsUrls ? parseUrls(flags.listenMetricsUrls, '--listen-metrics-urls') : [];
  if (flags.dataDir === '') throw badUsage('--data-dir must name a directory');
  if (metrics.some(({ scheme }) => scheme !== 'http')) throw badUsage('--listen-metrics-urls serves http only');
  return {
    directory: flags.dataDir,
    name: flags.name,
    listen: client.map(({ address }) => address),
    listenMetrics: metrics.map(({ address }) => address),
    tls: parseTls(flags, new Set(client.map(({ scheme }) => scheme))),
    // 0 is etcd's word for its default.
    quotaBytes: parseBytes(flags.quotaBackendBytes, '--quota-backend-bytes') || defaultQuotaBytes,
    maxRequestBytes: parseBytes(flags.maxRequestBytes, '--max-request-bytes'),
    compaction: parseCompaction(flags),
  };
}

interface ParsedUrl {
  scheme: string;
  address: Address;
}

function parseUrls(list: string, flag: string): ParsedUrl[] {
  return list.split(',').map((text) => {
    const match = /^(https?):\/\/(\[[0-9a-f:]+\]|[^/:[\]]+):(\d{1,5})\/?$/i.exec(text.trim());
    const port = Number(match?.[3]);
    if (!match || port > 65_535) {
      throw badUsage(`${flag}: "${text}" is not a URL of the form http://HOST:PORT`, 'Separate several by commas.');
    }
    const host = match[2]!.replace(/^\[|\]$/g, '');
    return { scheme: match[1]!.toLowerCase(), address: { host, port } };
  });
}

function parseTls(flags: ServeFlags, schemes: ReadonlySet<string>): ServeSettings['tls'] {
  const { certFile, keyFile, trustedCaFile, clientCertAuth = false } = flags;
  if (schemes.size > 1) throw badUsage('--listen-client-urls: use http or https for all of them');
  if (schemes.has('http')) {
    if (certFile || keyFile || clientCertAuth) {
      throw badUsage('--listen-client-urls: certificates are given, but the URL is http', 'Use https in the URL.');
    }
    return undefined;
  }
  if (!certFile) throw badUsage('--cert-file is needed for an https URL in --listen-client-urls');
  if (!keyFile) throw badUsage('--key-file is needed for an https URL in --listen-client-urls');
  if (clientCertAuth && !trustedCaFile) throw badUsage('--client-cert-auth needs --trusted-ca-file');
  return { certFile, keyFile, trustedCaFile, clientCertAuth };
}

function parseBytes(text: string, flag: string): number {
  const value = Number(text);
  if (!/^-?\d+$/.test(text) || !Number.isSafeInteger(value)) throw badUsage(`${flag}: "${text}" is no number of bytes`);
  if (flag === '--max-request-bytes' && value <= 0) throw badUsage(`${flag} must be above 0`);
  return value;
}

function parseCompaction({ autoCompactionMode, autoCompactionRetention }: ServeFlags): AutoCompactionMode | undefined {
  if (autoCompactionMode !== 'periodic' && autoCompactionMode !== 'revision') {
    throw badUsage(`--auto-compaction-mode: "${autoCompactionMode}" is neither periodic nor revision`);
  }
  // A bare number means hours in etcd's periodic mode.
  const hours = autoCompactionMode === 'periodic' && /^[1-9]\d*$/.test(autoCompactionRetention);
  try {
    return parseAutoCompaction(autoCompactionMode, hours ? `${autoCompactionRetention}h` : autoCompactionRetention);
  } catch (error) {
    throw badUsage(`--auto-compaction-retention: ${error instanceof Error ? error.message : String(error)}`);
  }
}
