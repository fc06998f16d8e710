// discovery.k8s.io/v1 EndpointSlice.

import { ageColumn, defineKind } from '../define-kind';
import type { FieldError } from '../field-error';
import { fieldError } from '../field-error';
import {
  dns1123LabelProblems,
  dns1123SubdomainProblems,
  immutableMessage,
  ipFamilyOf,
  ipAddressMessage,
} from '../names';
import type { EndpointSlice } from './types';

const addressTypes = ['FQDN', 'IPv4', 'IPv6'];
const protocols = ['SCTP', 'TCP', 'UDP'];
const maxEndpoints = 1000;
const maxPorts = 20_000;
const maxAddresses = 100;
const shown = 3;

function addressProblems(address: string, type: string): string[] {
  if (type === 'FQDN') return dns1123SubdomainProblems(address);
  const family = ipFamilyOf(address);
  if (!family) return [ipAddressMessage];
  return `IPv${family}` === type ? [] : [`must be an ${type} address`];
}

function validateEndpoints(slice: EndpointSlice): FieldError[] {
  const endpoints = slice.endpoints ?? [];
  if (endpoints.length > maxEndpoints) return [fieldError.tooMany('endpoints', endpoints.length, maxEndpoints)];
  return endpoints.flatMap((endpoint, index) => {
    const path = `endpoints[${index}]`;
    const addresses = endpoint.addresses ?? [];
    const errors: FieldError[] = [];
    if (addresses.length === 0) {
      errors.push(fieldError.required(`${path}.addresses`, 'must contain at least 1 address'));
    } else if (addresses.length > maxAddresses) {
      errors.push(fieldError.tooMany(`${path}.addresses`, addresses.length, maxAddresses));
    }
    for (const [at, address] of addresses.entries()) {
      for (const problem of addressProblems(address, slice.addressType)) {
        errors.push(fieldError.invalid(`${path}.addresses[${at}]`, address, problem));
      }
    }
    if (endpoint.hostname) {
      for (const problem of dns1123LabelProblems(endpoint.hostname)) {
        errors.push(fieldError.invalid(`${path}.hostname`, endpoint.hostname, problem));
      }
    }
    return errors;
  });
}

function validatePorts(slice: EndpointSlice): FieldError[] {
  const ports = slice.ports ?? [];
  if (ports.length > maxPorts) return [fieldError.tooMany('ports', ports.length, maxPorts)];
  const errors: FieldError[] = [];
  const names = new Set<string>();
  for (const [index, port] of ports.entries()) {
    const name = port.name ?? '';
    if (names.has(name)) errors.push(fieldError.duplicate(`ports[${index}].name`, name));
    names.add(name);
    if (!port.protocol) errors.push(fieldError.required(`ports[${index}].protocol`));
    else if (!protocols.includes(port.protocol)) {
      errors.push(fieldError.notSupported(`ports[${index}].protocol`, port.protocol, protocols));
    }
  }
  return errors;
}

function validate(slice: EndpointSlice): FieldError[] {
  const errors: FieldError[] = [];
  if (!slice.addressType) errors.push(fieldError.required('addressType'));
  else if (!addressTypes.includes(slice.addressType)) {
    errors.push(fieldError.notSupported('addressType', slice.addressType, addressTypes));
  }
  return [...errors, ...validateEndpoints(slice), ...validatePorts(slice)];
}

function listText(items: readonly string[]): string {
  if (items.length === 0) return '<unset>';
  const text = items.slice(0, shown).join(',');
  return items.length > shown ? `${text} + ${items.length - shown} more...` : text;
}

export const endpointSliceKind = defineKind<EndpointSlice>({
  group: 'discovery.k8s.io',
  version: 'v1',
  kind: 'EndpointSlice',
  plural: 'endpointslices',
  namespaced: true,
  schema: 'io.k8s.api.discovery.v1.EndpointSlice',
  hasGeneration: true,
  applyDefaults(slice) {
    slice.endpoints ??= [];
    for (const port of slice.ports ?? []) {
      port.name ??= '';
      port.protocol ||= 'TCP';
    }
  },
  validate,
  validateUpdate: ({ object, old }) =>
    object.addressType === old.addressType
      ? []
      : [fieldError.invalid('addressType', object.addressType, immutableMessage)],
  columns: [
    {
      name: 'AddressType',
      type: 'string',
      description: 'IPv4, IPv6 or FQDN.',
      value: (slice) => slice.addressType ?? '',
    },
    {
      name: 'Ports',
      type: 'string',
      description: 'Ports of every endpoint.',
      value: (slice) => listText((slice.ports ?? []).map(({ port }) => (port === undefined ? '*' : String(port)))),
    },
    {
      name: 'Endpoints',
      type: 'string',
      description: 'Addresses, ready or not.',
      value: (slice) => listText((slice.endpoints ?? []).flatMap(({ addresses }) => addresses ?? [])),
    },
    ageColumn,
  ],
});
