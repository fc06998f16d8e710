// Reads what an agent needs from a kubeconfig: the server and the client certificate of its current context.

import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { parse } from 'yaml';
import { PilothouseError } from '../../kit';

export interface ApiAccess {
  server: string;
  ca?: string;
  cert?: string;
  key?: string;
  token?: string;
}

interface Kubeconfig {
  'current-context'?: string;
  clusters?: { name: string; cluster: Record<string, string> }[];
  users?: { name: string; user: Record<string, string> }[];
  contexts?: { name: string; context: { cluster: string; user: string } }[];
}

/** YAML or JSON; JSON is tried first because parsing it costs nothing under emulation. */
export function parseYamlOrJson(text: string): unknown {
  return text.trimStart().startsWith('{') ? JSON.parse(text) : parse(text);
}

/** `directory` is what relative file names in the kubeconfig are relative to. */
export function parseKubeconfig(text: string, directory: string): ApiAccess {
  const config = (parseYamlOrJson(text) ?? {}) as Kubeconfig;
  const fail = (what: string) =>
    new PilothouseError({
      code: 'AGENT_KUBECONFIG',
      message: `kubeconfig: ${what}`,
      hint: 'Provision the node again; it rewrites this file.',
    });
  const name = config['current-context'];
  const context = config.contexts?.find((entry) => entry.name === name)?.context ?? config.contexts?.[0]?.context;
  if (!context) throw fail('no context');
  const cluster = config.clusters?.find((entry) => entry.name === context.cluster)?.cluster;
  const user = config.users?.find((entry) => entry.name === context.user)?.user;
  if (!cluster?.server) throw fail(`cluster "${context.cluster}" has no server`);
  if (!user) throw fail(`no user "${context.user}"`);
  const pem = (source: Record<string, string>, key: string): string | undefined => {
    const data = source[`${key}-data`];
    if (data) return Buffer.from(data, 'base64').toString('utf8');
    const file = source[key];
    return file ? readFileSync(resolve(directory, file), 'utf8') : undefined;
  };
  return {
    server: cluster.server,
    ca: pem(cluster, 'certificate-authority'),
    cert: pem(user, 'client-certificate'),
    key: pem(user, 'client-key'),
    token: user.token,
  };
}

export function loadKubeconfig(path: string): ApiAccess {
  return parseKubeconfig(readFileSync(path, 'utf8'), dirname(path));
}
