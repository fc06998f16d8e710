// Reads the ConfigMaps, Secrets and tokens that a Pod names. An object that is not there answers undefined; an API
// server that cannot be reached throws, and the Pod's worker tries again.

import { type ConfigMap, type KubeObject, type Pod, type Secret, resources } from '../../../api';
import { ApiError, type Client, type Resource } from '../../../client';
import { type Logger } from '../../../kit';
import { credentialsOf } from '../images/pull-secrets';
import type { RegistryAuth } from '../runtime/runtime';
import type { VolumeSourcesReader } from '../volumes/payload';
import type { KeyedSources } from './environment';

const asText = (files: Record<string, Buffer> | undefined) =>
  files && Object.fromEntries(Object.entries(files).map(([key, value]) => [key, value.toString('utf8')]));

const decoded = (data: Record<string, string> = {}) =>
  Object.entries(data).map(([key, value]): [string, Buffer] => [key, Buffer.from(value, 'base64')]);

interface TokenRequest extends KubeObject {
  spec: { audiences?: string[]; expirationSeconds?: number; boundObjectRef?: object };
  status?: { token?: string; expirationTimestamp?: string };
}

interface HeldToken {
  token: string;
  renewAt: number;
}

export class ApiSources implements KeyedSources, VolumeSourcesReader {
  private readonly tokens = new Map<string, HeldToken>();

  constructor(private readonly options: { client: Client; pod: Pod; logger: Logger }) {}

  async configMapFiles(name: string): Promise<Record<string, Buffer> | undefined> {
    const object = await this.read<ConfigMap>(resources.configmaps, name);
    if (!object) return undefined;
    const plain = Object.entries(object.data ?? {}).map(([key, value]): [string, Buffer] => [key, Buffer.from(value)]);
    return Object.fromEntries([...plain, ...decoded(object.binaryData)]);
  }

  async secretFiles(name: string): Promise<Record<string, Buffer> | undefined> {
    const object = await this.read<Secret>(resources.secrets, name);
    return object && Object.fromEntries(decoded(object.data));
  }

  async configMap(name: string): Promise<Record<string, string> | undefined> {
    return asText(await this.configMapFiles(name));
  }

  async secret(name: string): Promise<Record<string, string> | undefined> {
    return asText(await this.secretFiles(name));
  }

  async credentials(): Promise<Map<string, RegistryAuth>> {
    const out = new Map<string, RegistryAuth>();
    for (const { name } of this.options.pod.spec.imagePullSecrets ?? []) {
      const data = name ? await this.secret(name) : undefined;
      const text = data?.['.dockerconfigjson'] ?? data?.['.dockercfg'];
      for (const [host, auth] of text ? credentialsOf(text) : []) out.set(host, auth);
    }
    return out;
  }

  /** Renewed when 80 % of its life is over. */
  async token(request: { audience?: string; expirationSeconds?: number }): Promise<string | undefined> {
    const { client, pod, logger } = this.options;
    const key = request.audience ?? '';
    const held = this.tokens.get(key);
    if (held && Date.now() < held.renewAt) return held.token;
    const seconds = request.expirationSeconds ?? 3600;
    const { name, namespace, uid } = pod.metadata;
    const body: TokenRequest = {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      metadata: {},
      spec: {
        ...(request.audience ? { audiences: [request.audience] } : {}),
        expirationSeconds: seconds,
        boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name, uid },
      },
    };
    const account = pod.spec.serviceAccountName || 'default';
    try {
      const options = { subresource: 'token', namespace, name: account };
      const answer = await client.create<TokenRequest>(resources.serviceaccounts, body, options);
      const token = answer.status?.token;
      if (token) this.tokens.set(key, { token, renewAt: Date.now() + seconds * 800 });
      return token;
    } catch (error) {
      const missing = error instanceof ApiError && [404, 405, 501].includes(error.statusCode);
      if (!missing) throw error;
      logger.debug('the API server issues no ServiceAccount tokens; the file is left out', { account, error });
      return undefined;
    }
  }

  private async read<T extends KubeObject>(resource: Resource, name: string): Promise<T | undefined> {
    const { client, pod } = this.options;
    try {
      return await client.get<T>(resource, { namespace: pod.metadata.namespace, name });
    } catch (error) {
      if (ApiError.is(error, 'NotFound')) return undefined;
      throw error;
    }
  }
}
