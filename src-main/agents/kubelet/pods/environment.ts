// The environment of a container: Service variables, envFrom, env, each able to refer to what came before it.

import type { Container, Pod, Service } from '../../../api';
import { PilothouseError } from '../../../kit';
import { type DownwardFacts, fieldValue, resourceValue } from './downward';
import { expand } from './expansion';

/** Decoded values by key; undefined when the object does not exist. */
export interface KeyedSources {
  configMap(name: string): Promise<Record<string, string> | undefined>;
  secret(name: string): Promise<Record<string, string> | undefined>;
}

/** The container cannot be configured: shown as CreateContainerConfigError. */
export class ContainerConfigError extends PilothouseError {
  constructor(message: string) {
    super({ code: 'CONTAINER_CONFIG', message, retryable: true });
  }
}

/** Docker-link style variables of the Services a Pod may see: its own namespace's, and the API server's. */
export function serviceVariables(services: readonly Service[], options: { namespace: string; links: boolean }) {
  const out: Record<string, string> = {};
  for (const service of services) {
    const { name = '', namespace } = service.metadata;
    const master = namespace === 'default' && name === 'kubernetes';
    if (!master && (!options.links || namespace !== options.namespace)) continue;
    const { clusterIP, ports = [] } = service.spec;
    if (!clusterIP || clusterIP === 'None' || ports.length === 0) continue;
    const prefix = name.toUpperCase().replaceAll('-', '_');
    out[`${prefix}_SERVICE_HOST`] = clusterIP;
    out[`${prefix}_SERVICE_PORT`] = String(ports[0]!.port);
    for (const [index, port] of ports.entries()) {
      const protocol = port.protocol ?? 'TCP';
      const url = `${protocol.toLowerCase()}://${clusterIP}:${port.port}`;
      if (port.name) out[`${prefix}_SERVICE_PORT_${port.name.toUpperCase().replaceAll('-', '_')}`] = String(port.port);
      if (index === 0) out[`${prefix}_PORT`] = url;
      const base = `${prefix}_PORT_${port.port}_${protocol}`;
      out[base] = url;
      out[`${base}_PROTO`] = protocol.toLowerCase();
      out[`${base}_PORT`] = String(port.port);
      out[`${base}_ADDR`] = clusterIP;
    }
  }
  return out;
}

export interface EnvironmentInput {
  pod: Pod;
  container: Container;
  services: readonly Service[];
  facts: DownwardFacts;
  sources: KeyedSources;
}

async function fromSources(input: EnvironmentInput): Promise<Record<string, string>> {
  const { container, sources } = input;
  const out: Record<string, string> = {};
  for (const source of container.envFrom ?? []) {
    const reference = source.configMapRef ?? source.secretRef;
    if (!reference) continue;
    const kind = source.configMapRef ? 'configmap' : 'secret';
    const name = reference.name ?? '';
    const data = await (source.configMapRef ? sources.configMap(name) : sources.secret(name));
    if (!data) {
      if (reference.optional) continue;
      throw new ContainerConfigError(`${kind} "${name}" not found`);
    }
    for (const key of Object.keys(data).sort()) out[(source.prefix ?? '') + key] = data[key]!;
  }
  return out;
}

/** All variables by name. Throws ContainerConfigError naming what is missing. */
export async function buildEnvironment(input: EnvironmentInput): Promise<Record<string, string>> {
  const { pod, container, facts, sources } = input;
  const namespace = pod.metadata.namespace ?? 'default';
  const services = serviceVariables(input.services, { namespace, links: pod.spec.enableServiceLinks !== false });
  const out = await fromSources(input);
  for (const variable of container.env ?? []) {
    const from = variable.valueFrom;
    if (variable.value !== undefined && variable.value !== '') {
      out[variable.name] = expand(variable.value, (name) => out[name] ?? services[name]);
    } else if (from?.fieldRef) {
      out[variable.name] = fieldValue(pod, from.fieldRef.fieldPath, facts);
    } else if (from?.resourceFieldRef) {
      const named = from.resourceFieldRef.containerName;
      const all = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])];
      const target = named ? all.find((entry) => entry.name === named) : container;
      if (!target) throw new ContainerConfigError(`container "${named}" of resourceFieldRef not found in the Pod`);
      out[variable.name] = resourceValue(target, from.resourceFieldRef, facts);
    } else if (from?.configMapKeyRef || from?.secretKeyRef) {
      const selector = (from.configMapKeyRef ?? from.secretKeyRef)!;
      const kind = from.configMapKeyRef ? 'configmap' : 'secret';
      const name = selector.name ?? '';
      const data = await (from.configMapKeyRef ? sources.configMap(name) : sources.secret(name));
      const value = data?.[selector.key];
      if (value !== undefined) out[variable.name] = value;
      else if (!selector.optional) {
        const title = kind === 'configmap' ? 'ConfigMap' : 'Secret';
        throw new ContainerConfigError(
          data ? `couldn't find key ${selector.key} in ${title} ${namespace}/${name}` : `${kind} "${name}" not found`,
        );
      }
    } else {
      out[variable.name] = '';
    }
  }
  return { ...services, ...out };
}
