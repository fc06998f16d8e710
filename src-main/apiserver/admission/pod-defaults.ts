// What upstream's DefaultTolerationSeconds, Priority and ServiceAccount plugins give a new Pod.

import { fieldError, type Pod, type Toleration } from '../../api';
import { forbidden, invalid } from '../status/errors';
import type { AdmissionPlugin } from './admission';

const tolerationSeconds = 300;
const defaultTolerations = ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable'];

/** PriorityClasses that always exist. */
const systemPriorities: Readonly<Record<string, number>> = {
  'system-cluster-critical': 2_000_000_000,
  'system-node-critical': 2_000_001_000,
};

function tolerates(toleration: Toleration, key: string): boolean {
  const keyMatches = toleration.key === key || (!toleration.key && toleration.operator === 'Exists');
  return keyMatches && (!toleration.effect || toleration.effect === 'NoExecute');
}

/** Pods stay five minutes on a node that is gone, unless they say otherwise. */
export const defaultTolerationSeconds: AdmissionPlugin = {
  name: 'DefaultTolerationSeconds',
  admit({ operation, kind, subresource, object }) {
    if (operation !== 'CREATE' || kind.kind !== 'Pod' || subresource !== '') return;
    const { spec } = object as Pod;
    if (!spec) return;
    const tolerations = [...(spec.tolerations ?? [])];
    for (const key of defaultTolerations) {
      if (tolerations.some((toleration) => tolerates(toleration, key))) continue;
      tolerations.push({ key, operator: 'Exists', effect: 'NoExecute', tolerationSeconds });
    }
    spec.tolerations = tolerations;
  },
};

/** The number behind a priority class; kinds of one's own come with the PriorityClass kind. */
export const priority: AdmissionPlugin = {
  name: 'Priority',
  admit({ operation, kind, subresource, object, name }) {
    if (operation !== 'CREATE' || kind.kind !== 'Pod' || subresource !== '') return;
    const { spec } = object as Pod;
    if (!spec) return;
    const className = spec.priorityClassName;
    const value = className ? systemPriorities[className] : 0;
    if (value === undefined) throw forbidden(kind, name, `no PriorityClass with name ${className} was found`);
    if (spec.priority !== undefined && spec.priority !== value) {
      const detail = `the integer value of priority (${spec.priority}) must not be provided in pod spec; priority admission controller computed ${value} from the given PriorityClass name`;
      throw invalid(kind, name, [fieldError.forbidden('spec.priority', detail)]);
    }
    spec.priority = value;
    spec.preemptionPolicy ??= 'PreemptLowerPriority';
  },
};

/** Every Pod has a ServiceAccount, `default` when it names none. */
export const serviceAccount: AdmissionPlugin = {
  name: 'ServiceAccount',
  admit({ operation, kind, subresource, object }) {
    if (operation !== 'CREATE' || kind.kind !== 'Pod' || subresource !== '') return;
    const pod = object as Pod;
    if (!pod.spec || pod.metadata.annotations?.['kubernetes.io/config.mirror']) return;
    const name = pod.spec.serviceAccountName || pod.spec.serviceAccount || 'default';
    pod.spec.serviceAccountName = name;
    pod.spec.serviceAccount = name;
  },
};
