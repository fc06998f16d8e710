// JSON values as the patches see them, and the errors all of them throw.

import { PilothouseError } from '../../kit';

export type JsonObject = Record<string, unknown>;

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Deep equality of JSON values; the order of keys does not matter. */
export function jsonEqual(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (Array.isArray(a) || Array.isArray(b)) {
    return (
      Array.isArray(a) &&
      Array.isArray(b) &&
      a.length === b.length &&
      a.every((item, index) => jsonEqual(item, b[index]))
    );
  }
  if (!isJsonObject(a) || !isJsonObject(b)) return false;
  const keys = Object.keys(a).filter((key) => a[key] !== undefined);
  const others = Object.keys(b).filter((key) => b[key] !== undefined);
  return keys.length === others.length && keys.every((key) => Object.hasOwn(b, key) && jsonEqual(a[key], b[key]));
}

/** The patch itself is not well formed: 400 BadRequest. */
export function malformedPatch(message: string): PilothouseError {
  return new PilothouseError({ code: 'PATCH_MALFORMED', message });
}

/** The patch is well formed but does not fit the object: 422. */
export function failedPatch(message: string): PilothouseError {
  return new PilothouseError({ code: 'PATCH_FAILED', message });
}
