// What a subresource is: its own kind of body and the verbs it answers. The table in `index` has all of them.

import type { Kind, KubeObject } from '../../api';
import type { PatchType } from '../../client';
import type { Call } from '../registry/call';
import type { KindRegistry } from '../registry/kind-registry';
import { applyPatch } from '../registry/patch';
import type { Registries } from '../registry/registries';

/** An object and the bytes it is sent as. */
export interface Answer {
  object: KubeObject;
  bytes: Buffer;
  /** HTTP status; default 200. */
  code?: number;
}

export interface SubresourceContext {
  registries: Registries;
  registry: KindRegistry;
  namespace: string;
  name: string;
  call: Call;
}

/** A change that a client asks for: the whole next state, or a patch. */
export type Change = { type: 'replace'; body: unknown } | { type: 'patch'; patch: { type: PatchType; body: unknown } };

export interface BodyKind {
  group: string;
  version: string;
  kind: string;
  schema: string;
}

export interface Subresource {
  /** Kind of the bodies it takes and answers. */
  bodyKind(kind: Kind): BodyKind;
  /** Verbs for discovery. */
  verbs: readonly string[];
  get?(context: SubresourceContext): Promise<Answer>;
  create?(context: SubresourceContext, body: unknown): Promise<Answer>;
  write?(context: SubresourceContext, change: Change): Promise<Answer>;
}

export function answerOf(object: KubeObject, code?: number): Answer {
  return { object, bytes: Buffer.from(JSON.stringify(object), 'utf8'), ...(code ? { code } : {}) };
}

/** The next state a change makes of a document; fresh, so it may be changed. */
export function nextState(change: Change, current: Buffer, target: BodyKind & { name: string }): unknown {
  if (change.type === 'patch') return applyPatch(current, change.patch, target);
  return structuredClone(change.body);
}
