// Which files a configMap, secret, downwardAPI or projected volume holds.

import type { DownwardAPIFile, KeyToPath, Pod, ProjectedSource, Volume } from '../../../api';
import { PilothouseError } from '../../../kit';
import { type DownwardFacts, fieldValue, resourceValue } from '../pods/downward';
import type { Payload } from './atomic-writer';

/** Raw values by key; undefined when the object does not exist. */
export interface VolumeSourcesReader {
  configMapFiles(name: string): Promise<Record<string, Buffer> | undefined>;
  secretFiles(name: string): Promise<Record<string, Buffer> | undefined>;
  /** A token of the Pod's ServiceAccount; undefined when the API server cannot issue one. */
  token(options: { audience?: string; expirationSeconds?: number }): Promise<string | undefined>;
}

export class VolumeError extends PilothouseError {
  constructor(message: string) {
    super({ code: 'VOLUME', message, retryable: true });
  }
}

const projectedPlugins = ['configMap', 'secret', 'downwardAPI', 'projected'] as const;

/** The directory name of the volume's plugin, or undefined for volumes that are no files of ours. */
export function projectedPlugin(volume: Volume): string | undefined {
  const kind = projectedPlugins.find((name) => volume[name] !== undefined);
  return (
    kind && { configMap: 'configmap', secret: 'secret', downwardAPI: 'downward-api', projected: 'projected' }[kind]
  );
}

interface KeyedOptions {
  items?: KeyToPath[];
  optional?: boolean;
  mode: number;
  what: string;
}

function addKeyed(out: Payload, data: Record<string, Buffer> | undefined, options: KeyedOptions): void {
  if (!data) {
    if (options.optional) return;
    throw new VolumeError(`${options.what} not found`);
  }
  if (!options.items) {
    for (const [key, value] of Object.entries(data)) out.set(key, { data: value, mode: options.mode });
    return;
  }
  for (const item of options.items) {
    const value = data[item.key];
    if (value) out.set(item.path, { data: value, mode: item.mode ?? options.mode });
    else if (!options.optional) throw new VolumeError(`references non-existent config key: ${item.key}`);
  }
}

export interface PayloadInput {
  pod: Pod;
  volume: Volume;
  facts: DownwardFacts;
  reader: VolumeSourcesReader;
}

function addDownward(out: Payload, input: PayloadInput, options: { items?: DownwardAPIFile[]; mode: number }): void {
  for (const item of options.items ?? []) {
    let text = '';
    if (item.fieldRef) text = fieldValue(input.pod, item.fieldRef.fieldPath, input.facts);
    else if (item.resourceFieldRef) {
      const name = item.resourceFieldRef.containerName;
      const container = input.pod.spec.containers.find((entry) => entry.name === name);
      if (!container) throw new VolumeError(`container "${name}" of resourceFieldRef not found in the Pod`);
      text = resourceValue(container, item.resourceFieldRef, input.facts);
    }
    out.set(item.path, { data: Buffer.from(text), mode: item.mode ?? options.mode });
  }
}

async function addProjected(out: Payload, input: PayloadInput, source: ProjectedSource, mode: number): Promise<void> {
  const { reader } = input;
  const { configMap, secret, downwardAPI, serviceAccountToken } = source;
  if (configMap) {
    const what = `configmap "${configMap.name}"`;
    addKeyed(out, await reader.configMapFiles(configMap.name ?? ''), { ...configMap, mode, what });
  }
  if (secret) {
    const what = `secret "${secret.name}"`;
    addKeyed(out, await reader.secretFiles(secret.name ?? ''), { ...secret, mode, what });
  }
  if (downwardAPI) addDownward(out, input, { items: downwardAPI.items, mode });
  if (serviceAccountToken) {
    const token = await reader.token(serviceAccountToken);
    if (token !== undefined) out.set(serviceAccountToken.path, { data: Buffer.from(token), mode: 0o644 });
  }
}

export async function payloadOf(input: PayloadInput): Promise<Payload> {
  const { volume, reader } = input;
  const out: Payload = new Map();
  const { configMap, secret, downwardAPI, projected } = volume;
  if (configMap) {
    const options = { ...configMap, mode: configMap.defaultMode ?? 0o644, what: `configmap "${configMap.name}"` };
    addKeyed(out, await reader.configMapFiles(configMap.name ?? ''), options);
  } else if (secret) {
    const options = { ...secret, mode: secret.defaultMode ?? 0o644, what: `secret "${secret.secretName}"` };
    addKeyed(out, await reader.secretFiles(secret.secretName ?? ''), options);
  } else if (downwardAPI) {
    addDownward(out, input, { items: downwardAPI.items, mode: downwardAPI.defaultMode ?? 0o644 });
  } else if (projected) {
    for (const source of projected.sources ?? []) {
      await addProjected(out, input, source, projected.defaultMode ?? 0o644);
    }
  }
  return out;
}
