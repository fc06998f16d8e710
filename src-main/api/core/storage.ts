// core/v1 PersistentVolume and PersistentVolumeClaim. Binding them is the work of a controller.

import { ageColumn, defineKind } from '../define-kind';
import type { FieldError } from '../field-error';
import { fieldError } from '../field-error';
import type { Column } from '../kind';
import type { KubeObject } from '../meta';
import { compareQuantities } from '../quantity';
import type { ObjectReference, Quantities, ResourceRequirements } from './types';

export interface PersistentVolume extends KubeObject {
  spec: {
    capacity?: Quantities;
    accessModes?: string[];
    persistentVolumeReclaimPolicy?: string;
    storageClassName?: string;
    volumeAttributesClassName?: string;
    volumeMode?: string;
    claimRef?: ObjectReference;
    hostPath?: { path: string; type?: string };
  };
  status?: { phase?: string; reason?: string; message?: string };
}

export interface PersistentVolumeClaim extends KubeObject {
  spec: {
    accessModes?: string[];
    resources?: ResourceRequirements;
    volumeName?: string;
    storageClassName?: string;
    volumeAttributesClassName?: string;
    volumeMode?: string;
  };
  status?: { phase?: string; accessModes?: string[]; capacity?: Quantities };
}

const modes = ['ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOnce', 'ReadWriteOncePod'];
const shortModes: Record<string, string> = {
  ReadWriteOnce: 'RWO',
  ReadOnlyMany: 'ROX',
  ReadWriteMany: 'RWX',
  ReadWriteOncePod: 'RWOP',
};

function modesText(list: readonly string[] | undefined): string {
  return Object.entries(shortModes)
    .filter(([mode]) => list?.includes(mode))
    .map(([, short]) => short)
    .join(',');
}

function validateModes(list: readonly string[] | undefined): FieldError[] {
  if (!list?.length) return [fieldError.required('spec.accessModes', 'at least 1 access mode is required')];
  return list
    .filter((mode) => !modes.includes(mode))
    .map((mode) => fieldError.notSupported('spec.accessModes', mode, modes));
}

function validateVolume({ spec }: PersistentVolume): FieldError[] {
  const errors = validateModes(spec?.accessModes);
  const capacity = spec?.capacity?.storage;
  if (capacity === undefined) errors.push(fieldError.required('spec.capacity'));
  else if (compareQuantities(capacity, 0) <= 0) {
    errors.push(fieldError.invalid('spec.capacity[storage]', capacity, 'must be greater than zero'));
  }
  return errors;
}

function validateClaim({ spec }: PersistentVolumeClaim): FieldError[] {
  const errors = validateModes(spec?.accessModes);
  const request = spec?.resources?.requests?.storage;
  if (request === undefined) errors.push(fieldError.required('spec.resources[storage]'));
  else if (compareQuantities(request, 0) <= 0) {
    errors.push(fieldError.invalid('spec.resources[storage]', request, 'must be greater than zero'));
  }
  return errors;
}

const modeColumn: Column<PersistentVolume | PersistentVolumeClaim> = {
  name: 'VolumeMode',
  type: 'string',
  priority: 1,
  description: 'Filesystem or Block.',
  value: ({ spec }) => spec.volumeMode || '<unset>',
};
const attributesColumn: Column<PersistentVolume | PersistentVolumeClaim> = {
  name: 'VolumeAttributesClass',
  type: 'string',
  description: 'Class of changeable attributes.',
  value: ({ spec }) => spec.volumeAttributesClassName || '<unset>',
};
const classColumn: Column<PersistentVolume | PersistentVolumeClaim> = {
  name: 'StorageClass',
  type: 'string',
  description: 'Class of the storage.',
  value: ({ spec }) => spec.storageClassName ?? '',
};

export const persistentVolumeKind = defineKind<PersistentVolume>({
  group: '',
  version: 'v1',
  kind: 'PersistentVolume',
  plural: 'persistentvolumes',
  shortNames: ['pv'],
  namespaced: false,
  schema: 'io.k8s.api.core.v1.PersistentVolume',
  hasStatus: true,
  initialStatus: () => ({ phase: 'Pending' }),
  applyDefaults({ spec }) {
    if (!spec) return;
    spec.persistentVolumeReclaimPolicy ||= 'Retain';
    spec.volumeMode ||= 'Filesystem';
    if (spec.hostPath) spec.hostPath.type ??= '';
  },
  validate: validateVolume,
  columns: [
    {
      name: 'Capacity',
      type: 'string',
      description: 'Size.',
      value: ({ spec }) => spec.capacity?.storage ?? '0',
    },
    {
      name: 'Access Modes',
      type: 'string',
      description: 'How it may be mounted.',
      value: ({ spec }) => modesText(spec.accessModes),
    },
    {
      name: 'Reclaim Policy',
      type: 'string',
      description: 'What happens when its claim is gone.',
      value: ({ spec }) => spec.persistentVolumeReclaimPolicy ?? '',
    },
    {
      name: 'Status',
      type: 'string',
      description: 'Phase of its life.',
      value: ({ metadata, status }) => (metadata.deletionTimestamp ? 'Terminating' : (status?.phase ?? '')),
    },
    {
      name: 'Claim',
      type: 'string',
      description: 'Claim it is bound to.',
      value: ({ spec }) => (spec.claimRef ? `${spec.claimRef.namespace ?? ''}/${spec.claimRef.name ?? ''}` : ''),
    },
    classColumn,
    attributesColumn,
    { name: 'Reason', type: 'string', description: 'Why it failed.', value: ({ status }) => status?.reason ?? '' },
    ageColumn,
    modeColumn,
  ],
});

export const persistentVolumeClaimKind = defineKind<PersistentVolumeClaim>({
  group: '',
  version: 'v1',
  kind: 'PersistentVolumeClaim',
  plural: 'persistentvolumeclaims',
  shortNames: ['pvc'],
  namespaced: true,
  schema: 'io.k8s.api.core.v1.PersistentVolumeClaim',
  hasStatus: true,
  statusKeepsLabels: false,
  initialStatus: () => ({ phase: 'Pending' }),
  applyDefaults({ spec }) {
    if (spec) spec.volumeMode ||= 'Filesystem';
  },
  validate: validateClaim,
  columns: [
    {
      name: 'Status',
      type: 'string',
      description: 'Phase of its life.',
      value: ({ metadata, status }) => (metadata.deletionTimestamp ? 'Terminating' : (status?.phase ?? '')),
    },
    {
      name: 'Volume',
      type: 'string',
      description: 'Volume it is bound to.',
      value: ({ spec }) => spec.volumeName ?? '',
    },
    {
      name: 'Capacity',
      type: 'string',
      description: 'Size it has.',
      value: ({ spec, status }) => (spec.volumeName ? (status?.capacity?.storage ?? '') : ''),
    },
    {
      name: 'Access Modes',
      type: 'string',
      description: 'How it may be mounted.',
      value: ({ spec, status }) => (spec.volumeName ? modesText(status?.accessModes) : ''),
    },
    classColumn,
    attributesColumn,
    ageColumn,
    modeColumn,
  ],
});
