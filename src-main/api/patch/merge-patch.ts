// JSON merge patch (RFC 7386).

import type { JsonObject } from './json-value';
import { isJsonObject } from './json-value';

/** Answers the patched value; neither argument is changed, and the result shares no structure with the patch. */
export function applyMergePatch(document: unknown, patch: unknown): unknown {
  if (!isJsonObject(patch)) return structuredClone(patch);
  const result: JsonObject = isJsonObject(document) ? { ...document } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else result[key] = applyMergePatch(result[key], value);
  }
  return result;
}
