// The chain of admission plugins, in upstream's order.

import type { Registries } from '../registry/registries';
import type { AdmissionPlugin } from './admission';
import { namespaceLifecycle } from './namespace-lifecycle';
import { defaultTolerationSeconds, priority, serviceAccount } from './pod-defaults';

export function builtInAdmission(registries: Registries): AdmissionPlugin[] {
  return [namespaceLifecycle(registries), serviceAccount, priority, defaultTolerationSeconds];
}

export * from './admission';
