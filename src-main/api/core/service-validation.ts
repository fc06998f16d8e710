// Validation of Services.

import type { FieldError } from '../field-error';
import { fieldError } from '../field-error';
import type { UpdateContext } from '../kind';
import { validateLabels } from '../metadata-validation';
import { dns1123LabelProblems, dns1123SubdomainProblems, ipProblems, portNumberProblems } from '../names';
import { validatePortReference } from './container-validation';
import type { Service, ServicePort } from './types';

const types = ['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort'];
const affinities = ['ClientIP', 'None'];
const protocols = ['SCTP', 'TCP', 'UDP'];
const trafficPolicies = ['Cluster', 'Local'];
const maxAffinitySeconds = 86_400;

function validatePort(port: ServicePort, path: string, options: { nameRequired: boolean; type: string }): FieldError[] {
  const errors: FieldError[] = [];
  if (!port.name) {
    if (options.nameRequired) errors.push(fieldError.required(`${path}.name`));
  } else {
    for (const problem of dns1123LabelProblems(port.name)) {
      errors.push(fieldError.invalid(`${path}.name`, port.name, problem));
    }
  }
  for (const problem of portNumberProblems(port.port))
    errors.push(fieldError.invalid(`${path}.port`, port.port ?? 0, problem));
  if (!port.protocol) errors.push(fieldError.required(`${path}.protocol`));
  else if (!protocols.includes(port.protocol)) {
    errors.push(fieldError.notSupported(`${path}.protocol`, port.protocol, protocols));
  }
  if (options.type !== 'ExternalName') errors.push(...validatePortReference(port.targetPort, `${path}.targetPort`));
  if (port.nodePort && (options.type === 'ClusterIP' || options.type === 'ExternalName')) {
    errors.push(fieldError.forbidden(`${path}.nodePort`, `may not be used when \`type\` is '${options.type}'`));
  } else if (port.nodePort) {
    for (const problem of portNumberProblems(port.nodePort)) {
      errors.push(fieldError.invalid(`${path}.nodePort`, port.nodePort, problem));
    }
  }
  return errors;
}

function validatePorts(service: Service): FieldError[] {
  const ports = service.spec.ports ?? [];
  const type = service.spec.type ?? 'ClusterIP';
  const errors: FieldError[] = [];
  if (ports.length === 0 && type !== 'ExternalName' && service.spec.clusterIP !== 'None') {
    errors.push(fieldError.required('spec.ports'));
  }
  const names = new Set<string>();
  const numbers = new Set<string>();
  for (const [index, port] of ports.entries()) {
    const path = `spec.ports[${index}]`;
    errors.push(...validatePort(port, path, { nameRequired: ports.length > 1, type }));
    if (port.name && names.has(port.name)) errors.push(fieldError.duplicate(`${path}.name`, port.name));
    if (port.name) names.add(port.name);
    const key = `${port.protocol}/${port.port}`;
    if (numbers.has(key)) errors.push(fieldError.duplicate(path, { protocol: port.protocol, port: port.port }));
    numbers.add(key);
  }
  return errors;
}

function validateAddresses(service: Service): FieldError[] {
  const { spec } = service;
  const errors: FieldError[] = [];
  const addresses = spec.clusterIPs ?? (spec.clusterIP ? [spec.clusterIP] : []);
  if (spec.type === 'ExternalName') {
    if (addresses.length > 0) {
      errors.push(fieldError.forbidden('spec.clusterIPs', 'may not be set for ExternalName services'));
    }
    if (!spec.externalName) errors.push(fieldError.required('spec.externalName'));
    else {
      for (const problem of dns1123SubdomainProblems(spec.externalName.replace(/\.$/, ''))) {
        errors.push(fieldError.invalid('spec.externalName', spec.externalName, problem));
      }
    }
    return errors;
  }
  if (spec.clusterIP === 'None' && spec.type !== 'ClusterIP') {
    const message = `may not be set to 'None' for ${spec.type} services`;
    errors.push(fieldError.invalid('spec.clusterIPs[0]', 'None', message));
  }
  for (const [index, address] of addresses.entries()) {
    if (address === 'None') continue;
    for (const problem of ipProblems(address)) {
      errors.push(fieldError.invalid(`spec.clusterIPs[${index}]`, address, problem));
    }
  }
  for (const [index, address] of (spec.externalIPs ?? []).entries()) {
    for (const problem of ipProblems(address)) {
      errors.push(fieldError.invalid(`spec.externalIPs[${index}]`, address, problem));
    }
  }
  return errors;
}

/** Field errors of a Service. */
export function validateService(service: Service): FieldError[] {
  const { spec } = service;
  const errors = [...validatePorts(service), ...validateAddresses(service)];
  errors.push(...validateLabels(spec.selector, 'spec.selector'));
  if (!spec.type) errors.push(fieldError.required('spec.type'));
  else if (!types.includes(spec.type)) errors.push(fieldError.notSupported('spec.type', spec.type, types));
  if (!spec.sessionAffinity) errors.push(fieldError.required('spec.sessionAffinity'));
  else if (!affinities.includes(spec.sessionAffinity)) {
    errors.push(fieldError.notSupported('spec.sessionAffinity', spec.sessionAffinity, affinities));
  }
  const timeout = spec.sessionAffinityConfig?.clientIP?.timeoutSeconds;
  if (timeout !== undefined && (timeout <= 0 || timeout > maxAffinitySeconds)) {
    const message = `must be greater than 0 and less than ${maxAffinitySeconds}`;
    errors.push(fieldError.invalid('spec.sessionAffinityConfig.clientIP.timeoutSeconds', timeout, message));
  }
  for (const field of ['internalTrafficPolicy', 'externalTrafficPolicy'] as const) {
    const policy = spec[field];
    if (policy && !trafficPolicies.includes(policy)) {
      errors.push(fieldError.notSupported(`spec.${field}`, policy, trafficPolicies));
    }
  }
  return errors;
}

/** Field errors of a change: the address stays. */
export function validateServiceUpdate({ object, old }: UpdateContext<Service>): FieldError[] {
  const before = old.spec.clusterIP;
  const had = before && before !== 'None' && old.spec.type !== 'ExternalName' && object.spec.type !== 'ExternalName';
  if ((had || before === 'None') && object.spec.type !== 'ExternalName' && object.spec.clusterIP !== before) {
    const value = object.spec.clusterIPs ?? [object.spec.clusterIP];
    return [fieldError.invalid('spec.clusterIPs[0]', value, 'may not change once set')];
  }
  return [];
}
