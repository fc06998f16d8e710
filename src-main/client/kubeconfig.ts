// A Client from a kubeconfig: the current context's cluster and user. Exec and auth-provider plugins are refused by
// name, since running a program that a file names is not for a library to decide.

import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { PilothouseError } from '../kit';
import { createHttpsClient, type HttpsClient } from './https-client';

interface NamedCluster {
  name: string;
  cluster: {
    server?: string;
    'certificate-authority'?: string;
    'certificate-authority-data'?: string;
    'tls-server-name'?: string;
  };
}

interface NamedUser {
  name: string;
  user: {
    token?: string;
    tokenFile?: string;
    'client-certificate'?: string;
    'client-certificate-data'?: string;
    'client-key'?: string;
    'client-key-data'?: string;
    exec?: unknown;
    'auth-provider'?: unknown;
  };
}

interface Kubeconfig {
  'current-context'?: string;
  contexts?: { name: string; context: { cluster: string; user: string; namespace?: string } }[];
  clusters?: NamedCluster[];
  users?: NamedUser[];
}

export interface KubeconfigClient extends HttpsClient {
  readonly server: string;
  readonly context: string;
  /** The context's namespace, `default` when it names none. */
  readonly namespace: string;
}

/** A Client of the context `options.context`, or of the current one. Paths in the file must be absolute. */
export function clientFromKubeconfig(
  text: string,
  options: { context?: string; userAgent?: string } = {},
): KubeconfigClient {
  const config = (parse(text) ?? {}) as Kubeconfig;
  const contextName = options.context ?? config['current-context'] ?? '';
  const context = find(config.contexts, 'context', contextName).context;
  const { cluster } = find(config.clusters, 'cluster', context.cluster);
  const { user } = find(config.users, 'user', context.user);
  if (user.exec || user['auth-provider']) {
    throw bad(`user "${context.user}" gets its credentials from a plugin (exec or auth-provider)`);
  }
  if (!cluster.server) throw bad(`cluster "${context.cluster}" names no server`);
  const client = createHttpsClient({
    server: cluster.server,
    ca: material(cluster['certificate-authority-data'], cluster['certificate-authority']),
    cert: material(user['client-certificate-data'], user['client-certificate']),
    key: material(user['client-key-data'], user['client-key']),
    token: user.tokenFile ? tokenReader(user.tokenFile) : user.token,
    serverName: cluster['tls-server-name'],
    userAgent: options.userAgent ?? 'pilothouse',
  });
  return { ...client, server: cluster.server, context: contextName, namespace: context.namespace ?? 'default' };
}

function find<T extends { name: string }>(items: T[] | undefined, what: string, name: string): T {
  const found = items?.find((item) => item.name === name);
  if (!found) throw bad(`it has no ${what} named "${name}"`);
  return found;
}

function bad(problem: string): PilothouseError {
  return new PilothouseError({
    code: 'KUBECONFIG_INVALID',
    message: `The kubeconfig cannot be used: ${problem}`,
    hint: 'Write it anew with `pilothouse kubeconfig`.',
  });
}

function material(data: string | undefined, path: string | undefined): Buffer | undefined {
  if (data) return Buffer.from(data, 'base64');
  return path ? readFileSync(path) : undefined;
}

/** Tokens in files are replaced while a process runs, so they are read for each request. */
function tokenReader(path: string): () => string {
  return () => readFileSync(path, 'utf8').trim();
}
