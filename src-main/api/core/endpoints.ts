// core/v1 Endpoints.

import { ageColumn, defineKind } from '../define-kind';
import type { FieldError } from '../field-error';
import { fieldError } from '../field-error';
import { dns1123LabelProblems, ipProblems, portNumberProblems } from '../names';
import type { EndpointSubset, Endpoints } from './types';

const shownEndpoints = 3;

function validateSubset(subset: EndpointSubset, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const { addresses = [], notReadyAddresses = [], ports = [] } = subset;
  if (addresses.length === 0 && notReadyAddresses.length === 0) {
    errors.push(fieldError.required(path, 'must specify `addresses` or `notReadyAddresses`'));
  }
  for (const list of ['addresses', 'notReadyAddresses'] as const) {
    for (const [index, { ip }] of (subset[list] ?? []).entries()) {
      for (const problem of ipProblems(ip ?? '')) {
        errors.push(fieldError.invalid(`${path}.${list}[${index}].ip`, ip, problem));
      }
    }
  }
  for (const [index, port] of ports.entries()) {
    const at = `${path}.ports[${index}]`;
    if (!port.name && ports.length > 1) errors.push(fieldError.required(`${at}.name`));
    if (port.name) {
      for (const problem of dns1123LabelProblems(port.name))
        errors.push(fieldError.invalid(`${at}.name`, port.name, problem));
    }
    for (const problem of portNumberProblems(port.port))
      errors.push(fieldError.invalid(`${at}.port`, port.port, problem));
  }
  return errors;
}

function validate(endpoints: Endpoints): FieldError[] {
  return (endpoints.subsets ?? []).flatMap((subset, index) => validateSubset(subset, `subsets[${index}]`));
}

function joinHostPort(ip: string, port: number): string {
  return ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`;
}

function endpointsText(endpoints: Endpoints): string {
  const all = (endpoints.subsets ?? []).flatMap(({ addresses = [], ports = [] }) =>
    ports.length === 0
      ? addresses.map(({ ip }) => ip)
      : ports.flatMap(({ port }) => addresses.map(({ ip }) => joinHostPort(ip, port))),
  );
  if (all.length === 0) return '<none>';
  const shown = all.slice(0, shownEndpoints).join(',');
  return all.length > shownEndpoints ? `${shown} + ${all.length - shownEndpoints} more...` : shown;
}

export const endpointsKind = defineKind<Endpoints>({
  group: '',
  version: 'v1',
  kind: 'Endpoints',
  plural: 'endpoints',
  singular: 'endpoints',
  shortNames: ['ep'],
  namespaced: true,
  schema: 'io.k8s.api.core.v1.Endpoints',
  applyDefaults(endpoints) {
    for (const port of (endpoints.subsets ?? []).flatMap((subset) => subset.ports ?? [])) port.protocol ||= 'TCP';
  },
  validate,
  columns: [
    { name: 'Endpoints', type: 'string', description: 'Ready addresses with their ports.', value: endpointsText },
    ageColumn,
  ],
});
