// Every kind the API server serves from the start. Order is the order of discovery documents.

import { leaseKind } from './coordination/lease';
import { configMapKind } from './core/config-map';
import { eventKind } from './core/event';
import { namespaceKind } from './core/namespace';
import { secretKind } from './core/secret';
import { serviceAccountKind } from './core/service-account';
import type { Kind } from './kind';

export const builtInKinds: readonly Kind[] = [
  namespaceKind,
  configMapKind,
  secretKind,
  eventKind,
  serviceAccountKind,
  leaseKind,
];

/** The kind served under this plural, if any. */
export function findKind(group: string, version: string, plural: string): Kind | undefined {
  return builtInKinds.find((kind) => kind.group === group && kind.version === version && kind.plural === plural);
}
