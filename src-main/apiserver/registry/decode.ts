// From a client's JSON value to an object of a kind: right kind and version, right types, no unknown fields, named and
// placed as the address says, defaults filled in.

import { decodeErrorMessage, type Kind, type KubeObject, pruneUnknown, strictDecodeMessage } from '../../api';
import { badRequest } from '../status/errors';
import type { Call } from './call';
import { apiVersionOf } from './codec';

export interface Place {
  namespace: string;
  /** Absent when the address names none (creation). */
  name?: string;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Checks the kind and apiVersion a body claims; absent ones are filled in when `lenient`. */
export function checkTypeMeta(
  body: unknown,
  expected: { group: string; version: string; kind: string },
  lenient = false,
): asserts body is KubeObject {
  if (!isRecord(body)) throw badRequest(`the body of the request must be an object of kind ${expected.kind}`);
  const apiVersion = apiVersionOf(expected);
  if (lenient) {
    body.kind ??= expected.kind;
    body.apiVersion ??= apiVersion;
  }
  if (!body.kind) throw badRequest(`Object 'Kind' is missing in '${excerpt(body)}'`);
  if (!body.apiVersion) throw badRequest(`Object 'apiVersion' is missing in '${excerpt(body)}'`);
  if (body.apiVersion !== apiVersion) {
    throw badRequest(
      `the API version in the data (${String(body.apiVersion)}) does not match the expected API version (${apiVersion})`,
    );
  }
  if (body.kind !== expected.kind) {
    throw badRequest(`the kind in the data (${String(body.kind)}) does not match the expected kind (${expected.kind})`);
  }
}

function excerpt(body: unknown): string {
  const text = JSON.stringify(body);
  return text.length > 300 ? `${text.slice(0, 300)}…` : text;
}

/** Prunes and type-checks `body` in place against a definition, by the call's field validation. */
export function checkFields(
  body: unknown,
  target: { schema: string; kind: string; version: string },
  call: Call,
): void {
  const { unknownFields, typeErrors } = pruneUnknown(target.schema, body);
  if (typeErrors.length > 0) throw badRequest(decodeErrorMessage(target.kind, target.version, typeErrors));
  if (unknownFields.length === 0) return;
  const mode = call.fieldValidation ?? 'Warn';
  if (mode === 'Strict') {
    const { kind, version } = target;
    throw badRequest(
      `${kind} in version "${version}" cannot be handled as a ${kind}: ${strictDecodeMessage(unknownFields)}`,
    );
  }
  if (mode === 'Warn') for (const field of unknownFields) call.warn?.(`unknown field "${field}"`);
}

/** Decodes a body of `kind` in place; `lenient` lets kind and apiVersion be absent. */
export function decodeObject(
  kind: Kind,
  body: unknown,
  options: { call: Call; place: Place; lenient?: boolean },
): KubeObject {
  checkTypeMeta(body, kind, options.lenient);
  checkFields(body, kind, options.call);
  body.metadata ??= {};
  const { metadata } = body;
  const { namespace, name } = options.place;
  if (kind.namespaced) {
    if (metadata.namespace && metadata.namespace !== namespace) {
      throw badRequest(
        `the namespace of the provided object does not match the namespace sent on the request: (${metadata.namespace}) does not match (${namespace})`,
      );
    }
    metadata.namespace = namespace;
  }
  if (name !== undefined) {
    if (metadata.name && metadata.name !== name) {
      throw badRequest(`the name of the object (${metadata.name}) does not match the name on the URL (${name})`);
    }
    if (!metadata.name) throw badRequest('the name of the object must be set');
  }
  kind.applyDefaults(body);
  return body;
}
