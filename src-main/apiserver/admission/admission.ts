// Admission: what may still change or refuse a write after it was authorized and decoded, before it is validated.
// Plugins run in order; each sees what the ones before it made.

import type { Kind, KubeObject } from '../../api';
import type { Call } from '../registry/call';

export interface AdmissionRequest {
  operation: 'CREATE' | 'UPDATE' | 'DELETE';
  kind: Kind;
  subresource: string;
  namespace: string;
  name: string;
  /** The draft, which a plugin may change in place; absent for deletions. */
  object: KubeObject | undefined;
  old: KubeObject | undefined;
  call: Call;
}

export interface AdmissionPlugin {
  readonly name: string;
  /** Changes the draft or throws an ApiError. */
  admit(request: AdmissionRequest): void | Promise<void>;
}

/** Runs the plugins in order. Answers a promise only when one of them does, as most need not wait. */
export async function admit(plugins: readonly AdmissionPlugin[], request: AdmissionRequest): Promise<void> {
  for (const plugin of plugins) {
    const pending = plugin.admit(request);
    if (pending) await pending;
  }
}
