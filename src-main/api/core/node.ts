// core/v1 Node.

import { ageColumn, defineKind } from '../define-kind';
import type { FieldError } from '../field-error';
import { fieldError } from '../field-error';
import { labelValueProblems, qualifiedNameProblems } from '../names';
import { jsonEqual } from '../patch';
import type { Node, Taint } from './types';

const effects = ['NoSchedule', 'PreferNoSchedule', 'NoExecute'];
const rolePrefix = 'node-role.kubernetes.io/';

function validateTaints(taints: readonly Taint[], path: string): FieldError[] {
  const errors: FieldError[] = [];
  const seen = new Set<string>();
  for (const [index, taint] of taints.entries()) {
    const at = `${path}[${index}]`;
    for (const problem of qualifiedNameProblems(taint.key ?? '')) {
      errors.push(fieldError.invalid(`${at}.key`, taint.key ?? '', problem));
    }
    for (const problem of labelValueProblems(taint.value ?? '')) {
      errors.push(fieldError.invalid(`${at}.value`, taint.value, problem));
    }
    if (!taint.effect) errors.push(fieldError.required(`${at}.effect`));
    else if (!effects.includes(taint.effect)) {
      errors.push(fieldError.notSupported(`${at}.effect`, taint.effect, effects));
    }
    const identity = `${taint.effect}/${taint.key}`;
    if (seen.has(identity)) {
      errors.push({ ...fieldError.duplicate(at, taint), detail: 'taints must be unique by key and effect pair' });
    }
    seen.add(identity);
  }
  return errors;
}

function validateUpdate(node: Node, old: Node): FieldError[] {
  const errors: FieldError[] = [];
  const before = old.spec?.podCIDRs ?? [];
  if (before.length > 0 && !jsonEqual(node.spec?.podCIDRs ?? [], before)) {
    const message = 'node updates may not change podCIDR except from "" to valid';
    errors.push(fieldError.forbidden('spec.podCIDRs', message));
  }
  if (old.spec?.providerID && node.spec?.providerID !== old.spec.providerID) {
    const message = 'node updates may not change providerID except from "" to valid';
    errors.push(fieldError.forbidden('spec.providerID', message));
  }
  return errors;
}

function statusText(node: Node): string {
  const ready = node.status?.conditions?.find((condition) => condition.type === 'Ready');
  const words = [ready ? (ready.status === 'True' ? 'Ready' : 'NotReady') : 'Unknown'];
  if (node.spec?.unschedulable) words.push('SchedulingDisabled');
  return words.join(',');
}

function rolesText(node: Node): string {
  const labels = Object.entries(node.metadata.labels ?? {});
  const roles = labels.flatMap(([key, value]) => {
    if (key.startsWith(rolePrefix)) return key.length > rolePrefix.length ? [key.slice(rolePrefix.length)] : [];
    return key === 'kubernetes.io/role' && value ? [value] : [];
  });
  return [...new Set(roles)].sort().join(',') || '<none>';
}

function address(node: Node, type: string): string {
  return node.status?.addresses?.find((candidate) => candidate.type === type)?.address ?? '<none>';
}

export const nodeKind = defineKind<Node>({
  group: '',
  version: 'v1',
  kind: 'Node',
  plural: 'nodes',
  shortNames: ['no'],
  namespaced: false,
  schema: 'io.k8s.api.core.v1.Node',
  hasStatus: true,
  keepsStatusOnCreate: true,
  statusKeepsLabels: false,
  subresources: ['proxy'],
  applyDefaults(node) {
    node.spec ??= {};
    node.status ??= {};
    if (node.spec.podCIDR && !node.spec.podCIDRs?.length) node.spec.podCIDRs = [node.spec.podCIDR];
    if (node.spec.podCIDRs?.[0]) node.spec.podCIDR = node.spec.podCIDRs[0];
    // Upstream: what is not said to be reserved can be allocated.
    if (node.status.capacity && !node.status.allocatable) node.status.allocatable = { ...node.status.capacity };
  },
  validate: (node) => validateTaints(node.spec?.taints ?? [], 'spec.taints'),
  validateUpdate: ({ object, old }) => validateUpdate(object, old),
  selectableFields: { 'spec.unschedulable': (node) => String(node.spec?.unschedulable ?? false) },
  columns: [
    { name: 'Status', type: 'string', description: 'Ready or not, and whether Pods may be placed.', value: statusText },
    { name: 'Roles', type: 'string', description: 'Roles its labels name.', value: rolesText },
    ageColumn,
    {
      name: 'Version',
      type: 'string',
      description: 'Version of its kubelet.',
      value: (node) => node.status?.nodeInfo?.kubeletVersion ?? '',
    },
    {
      name: 'Internal-IP',
      type: 'string',
      priority: 1,
      description: 'Address inside the cluster.',
      value: (node) => address(node, 'InternalIP'),
    },
    {
      name: 'External-IP',
      type: 'string',
      priority: 1,
      description: 'Address outside the cluster.',
      value: (node) => address(node, 'ExternalIP'),
    },
    {
      name: 'OS-Image',
      type: 'string',
      priority: 1,
      description: 'Operating system.',
      value: (node) => node.status?.nodeInfo?.osImage || '<unknown>',
    },
    {
      name: 'Kernel-Version',
      type: 'string',
      priority: 1,
      description: 'Version of its kernel.',
      value: (node) => node.status?.nodeInfo?.kernelVersion || '<unknown>',
    },
    {
      name: 'Container-Runtime',
      type: 'string',
      priority: 1,
      description: 'What runs its containers.',
      value: (node) => node.status?.nodeInfo?.containerRuntimeVersion || '<unknown>',
    },
  ],
});
