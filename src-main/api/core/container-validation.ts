// Validation of one container: name, image, ports, environment, mounts, resources, probes.

import type { FieldError } from '../field-error';
import { fieldError } from '../field-error';
import {
  dns1123LabelProblems,
  envVarNameProblems,
  nonNegativeMessage,
  portNameProblems,
  portNumberProblems,
  qualifiedNameProblems,
} from '../names';
import { compareQuantities } from '../quantity';
import type {
  ActionHandler,
  Container,
  ContainerPort,
  EnvVar,
  IntOrString,
  Probe,
  ResourceRequirements,
} from './types';

export interface ContainerSurroundings {
  volumes: ReadonlySet<string>;
  hostNetwork: boolean;
}

const protocols = ['SCTP', 'TCP', 'UDP'];
const pullPolicies = ['Always', 'IfNotPresent', 'Never'];
const messagePolicies = ['FallbackToLogsOnError', 'File'];
const standardResources: ReadonlySet<string> = new Set(['cpu', 'memory', 'ephemeral-storage']);
const fieldPaths = [
  'metadata.name metadata.namespace metadata.uid spec.nodeName spec.serviceAccountName',
  'status.hostIP status.hostIPs status.podIP status.podIPs',
].flatMap((line) => line.split(' '));

function validatePorts(ports: readonly ContainerPort[], path: string, hostNetwork: boolean): FieldError[] {
  const errors: FieldError[] = [];
  const names = new Set<string>();
  for (const [index, port] of ports.entries()) {
    const at = `${path}[${index}]`;
    if (port.name) {
      for (const problem of portNameProblems(port.name))
        errors.push(fieldError.invalid(`${at}.name`, port.name, problem));
      if (names.has(port.name)) errors.push(fieldError.duplicate(`${at}.name`, port.name));
      names.add(port.name);
    }
    if (!port.containerPort) errors.push(fieldError.required(`${at}.containerPort`));
    else errors.push(...portErrors(port.containerPort, `${at}.containerPort`));
    if (port.hostPort) {
      errors.push(...portErrors(port.hostPort, `${at}.hostPort`));
      if (hostNetwork && port.hostPort !== port.containerPort) {
        const message = 'must match `containerPort` when `hostNetwork` is true';
        errors.push(fieldError.invalid(`${at}.hostPort`, port.hostPort, message));
      }
    }
    if (!port.protocol) errors.push(fieldError.required(`${at}.protocol`));
    else if (!protocols.includes(port.protocol)) {
      errors.push(fieldError.notSupported(`${at}.protocol`, port.protocol, protocols));
    }
  }
  return errors;
}

function portErrors(port: number, path: string): FieldError[] {
  return portNumberProblems(port).map((problem) => fieldError.invalid(path, port, problem));
}

/** A port given as a number or as the name of a container port. */
export function validatePortReference(port: IntOrString | undefined, path: string): FieldError[] {
  if (port === undefined) return [fieldError.required(path)];
  if (typeof port === 'number') return portErrors(port, path);
  return portNameProblems(port).map((problem) => fieldError.invalid(path, port, problem));
}

function validateEnvironment(variables: readonly EnvVar[], path: string): FieldError[] {
  const errors: FieldError[] = [];
  for (const [index, variable] of variables.entries()) {
    const at = `${path}[${index}]`;
    if (!variable.name) errors.push(fieldError.required(`${at}.name`));
    else {
      for (const problem of envVarNameProblems(variable.name)) {
        errors.push(fieldError.invalid(`${at}.name`, variable.name, problem));
      }
    }
    if (variable.valueFrom) errors.push(...validateEnvSource(variable, `${at}.valueFrom`));
  }
  return errors;
}

function validateEnvSource(variable: EnvVar, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const source = variable.valueFrom!;
  const sources = Object.keys(source).length;
  if (sources === 0) {
    const message = 'must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`';
    errors.push(fieldError.invalid(path, '', message));
  } else if (variable.value) {
    errors.push(fieldError.invalid(path, '', 'may not be specified when `value` is not empty'));
  } else if (sources > 1) {
    errors.push(fieldError.invalid(path, '', 'may not have more than one field specified at a time'));
  }
  for (const reference of ['configMapKeyRef', 'secretKeyRef'] as const) {
    const selector = source[reference];
    if (!selector) continue;
    if (!selector.name) errors.push(fieldError.required(`${path}.${reference}.name`));
    if (!selector.key) errors.push(fieldError.required(`${path}.${reference}.key`));
  }
  if (source.fieldRef) errors.push(...validateFieldReference(source.fieldRef.fieldPath, `${path}.fieldRef.fieldPath`));
  if (source.resourceFieldRef && !source.resourceFieldRef.resource) {
    errors.push(fieldError.required(`${path}.resourceFieldRef.resource`));
  }
  return errors;
}

function validateFieldReference(fieldPath: string | undefined, path: string): FieldError[] {
  if (!fieldPath) return [fieldError.required(path)];
  if (fieldPaths.includes(fieldPath) || /^metadata\.(labels|annotations)\['[^']+'\]$/.test(fieldPath)) return [];
  return [fieldError.notSupported(path, fieldPath, fieldPaths)];
}

function validateMounts(container: Container, path: string, volumes: ReadonlySet<string>): FieldError[] {
  const errors: FieldError[] = [];
  const paths = new Set<string>();
  for (const [index, mount] of (container.volumeMounts ?? []).entries()) {
    const at = `${path}[${index}]`;
    if (!mount.name) errors.push(fieldError.required(`${at}.name`));
    else if (!volumes.has(mount.name)) errors.push(fieldError.notFound(`${at}.name`, mount.name));
    if (!mount.mountPath) errors.push(fieldError.required(`${at}.mountPath`));
    else if (paths.has(mount.mountPath)) {
      errors.push(fieldError.invalid(`${at}.mountPath`, mount.mountPath, 'must be unique'));
    }
    paths.add(mount.mountPath);
    if (mount.subPath?.startsWith('/')) {
      errors.push(fieldError.invalid(`${at}.subPath`, mount.subPath, 'must be a relative path'));
    }
    if (mount.subPath?.split('/').includes('..')) {
      errors.push(fieldError.invalid(`${at}.subPath`, mount.subPath, "must not contain '..'"));
    }
  }
  return errors;
}

/** Requests and limits of a container (or a Pod). */
export function validateResources(resources: ResourceRequirements | undefined, path: string): FieldError[] {
  const errors: FieldError[] = [];
  for (const list of ['limits', 'requests'] as const) {
    for (const [name, quantity] of Object.entries(resources?.[list] ?? {})) {
      const at = `${path}.${list}`;
      for (const problem of qualifiedNameProblems(name)) errors.push(fieldError.invalid(at, name, problem));
      if (!name.includes('/') && !standardResources.has(name) && !name.startsWith('hugepages-')) {
        errors.push(fieldError.invalid(at, name, 'must be a standard resource for containers'));
      }
      if (compareQuantities(quantity, 0) < 0) {
        errors.push(fieldError.invalid(`${at}[${name}]`, quantity, nonNegativeMessage));
      }
    }
  }
  for (const [name, request] of Object.entries(resources?.requests ?? {})) {
    const limit = resources?.limits?.[name];
    if (limit !== undefined && compareQuantities(request, limit) > 0) {
      const message = `must be less than or equal to ${name} limit of ${limit}`;
      errors.push(fieldError.invalid(`${path}.requests`, request, message));
    }
  }
  return errors;
}

function validateHandler(
  handler: ActionHandler,
  path: string,
  handlers: readonly (keyof ActionHandler)[],
): FieldError[] {
  const given = handlers.filter((name) => handler[name] !== undefined);
  const errors = given
    .slice(1)
    .map((name) => fieldError.forbidden(`${path}.${name}`, 'may not specify more than 1 handler type'));
  if (given.length === 0) errors.push(fieldError.required(path, 'must specify a handler type'));
  if (handler.exec && (handler.exec.command ?? []).length === 0) {
    errors.push(fieldError.required(`${path}.exec.command`));
  }
  if (handler.httpGet) {
    const { httpGet } = handler;
    if (!httpGet.path) errors.push(fieldError.required(`${path}.httpGet.path`));
    errors.push(...validatePortReference(httpGet.port, `${path}.httpGet.port`));
    if (httpGet.scheme && httpGet.scheme !== 'HTTP' && httpGet.scheme !== 'HTTPS') {
      errors.push(fieldError.notSupported(`${path}.httpGet.scheme`, httpGet.scheme, ['HTTP', 'HTTPS']));
    }
  }
  if (handler.tcpSocket) errors.push(...validatePortReference(handler.tcpSocket.port, `${path}.tcpSocket.port`));
  if (handler.grpc) errors.push(...portErrors(handler.grpc.port, `${path}.grpc.port`));
  return errors;
}

const probeNumbers = [
  'initialDelaySeconds',
  'timeoutSeconds',
  'periodSeconds',
  'successThreshold',
  'failureThreshold',
] as const;

function validateProbe(probe: Probe | undefined, path: string, options: { onlyOneSuccess: boolean }): FieldError[] {
  if (!probe) return [];
  const errors = validateHandler(probe, path, ['exec', 'httpGet', 'tcpSocket', 'grpc']);
  for (const field of probeNumbers) {
    const value = probe[field];
    if (value !== undefined && value < 0)
      errors.push(fieldError.invalid(`${path}.${field}`, value, nonNegativeMessage));
  }
  if (options.onlyOneSuccess && (probe.successThreshold ?? 1) !== 1) {
    errors.push(fieldError.invalid(`${path}.successThreshold`, probe.successThreshold, 'must be 1'));
  }
  return errors;
}

function validateIdentity(container: Container, path: string): FieldError[] {
  const errors: FieldError[] = [];
  if (!container.name) errors.push(fieldError.required(`${path}.name`));
  else {
    for (const problem of dns1123LabelProblems(container.name)) {
      errors.push(fieldError.invalid(`${path}.name`, container.name, problem));
    }
  }
  if (!container.image) errors.push(fieldError.required(`${path}.image`));
  else if (container.image !== container.image.trim()) {
    errors.push(fieldError.invalid(`${path}.image`, container.image, 'must not have leading or trailing whitespace'));
  }
  const policy = container.imagePullPolicy;
  if (!policy) errors.push(fieldError.required(`${path}.imagePullPolicy`));
  else if (!pullPolicies.includes(policy)) {
    errors.push(fieldError.notSupported(`${path}.imagePullPolicy`, policy, pullPolicies));
  }
  const messages = container.terminationMessagePolicy;
  if (messages && !messagePolicies.includes(messages)) {
    errors.push(fieldError.notSupported(`${path}.terminationMessagePolicy`, messages, messagePolicies));
  }
  return errors;
}

/** Field errors of one container at `path`. */
export function validateContainer(container: Container, path: string, around: ContainerSurroundings): FieldError[] {
  const errors = [
    ...validateIdentity(container, path),
    ...validatePorts(container.ports ?? [], `${path}.ports`, around.hostNetwork),
    ...validateEnvironment(container.env ?? [], `${path}.env`),
    ...validateMounts(container, `${path}.volumeMounts`, around.volumes),
    ...validateResources(container.resources, `${path}.resources`),
    ...validateProbe(container.livenessProbe, `${path}.livenessProbe`, { onlyOneSuccess: true }),
    ...validateProbe(container.readinessProbe, `${path}.readinessProbe`, { onlyOneSuccess: false }),
    ...validateProbe(container.startupProbe, `${path}.startupProbe`, { onlyOneSuccess: true }),
  ];
  for (const hook of ['postStart', 'preStop'] as const) {
    const handler = container.lifecycle?.[hook];
    const handlers = ['exec', 'httpGet', 'tcpSocket', 'sleep'] as const;
    if (handler) errors.push(...validateHandler(handler, `${path}.lifecycle.${hook}`, handlers));
  }
  return errors;
}
