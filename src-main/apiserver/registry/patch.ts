// The three patch formats as one: from a patch body to the next state of an object.

import { applyJsonPatch, applyMergePatch, applyStrategicMergePatch, type KubeObject } from '../../api';
import type { PatchType } from '../../client';
import { PilothouseError } from '../../kit';
import { badRequest, invalid } from '../status/errors';

export interface PatchTarget {
  /** Definition whose merge keys a strategic patch follows. */
  schema: string;
  group: string;
  kind: string;
  name: string;
}

/** The patched document, sharing nothing with the frozen original. Throws 400 for a bad patch, 422 for one that does not fit. */
export function applyPatch(bytes: Buffer, patch: { type: PatchType; body: unknown }, target: PatchTarget): KubeObject {
  const document: unknown = JSON.parse(bytes.toString('utf8'));
  try {
    return patched(document, patch, target) as KubeObject;
  } catch (error) {
    if (!(error instanceof PilothouseError)) throw error;
    if (error.code === 'PATCH_FAILED') {
      throw invalid(target, target.name, [
        { type: 'FieldValueInvalid', field: 'patch', badValue: '', detail: error.message },
      ]);
    }
    if (error.code === 'PATCH_MALFORMED') throw badRequest(error.message);
    throw error;
  }
}

function patched(document: unknown, patch: { type: PatchType; body: unknown }, target: PatchTarget): unknown {
  switch (patch.type) {
    case 'json':
      return applyJsonPatch(document, patch.body);
    case 'merge':
      return applyMergePatch(document, patch.body);
    case 'strategic':
      return applyStrategicMergePatch(document, patch.body, target.schema);
  }
}
