// batch/v1 Job.

import { templateColumns, validatePodTemplate } from '../apps/workload';
import { applyPodSpecDefaults } from '../core/pod-defaults';
import type { Condition, LabelSelector, PodTemplateSpec } from '../core/types';
import { ageColumn, defineKind } from '../define-kind';
import { humanDuration } from '../duration';
import type { FieldError } from '../field-error';
import { fieldError } from '../field-error';
import type { KubeObject } from '../meta';
import { immutableMessage, nonNegativeMessage } from '../names';
import { jsonEqual } from '../patch';

export interface JobSpec {
  parallelism?: number;
  completions?: number;
  activeDeadlineSeconds?: number;
  backoffLimit?: number;
  selector?: LabelSelector;
  manualSelector?: boolean;
  template: PodTemplateSpec;
  ttlSecondsAfterFinished?: number;
  completionMode?: string;
  suspend?: boolean;
  podReplacementPolicy?: string;
}

export interface JobStatus {
  conditions?: Condition[];
  startTime?: string;
  completionTime?: string;
  active?: number;
  succeeded?: number;
  failed?: number;
  ready?: number;
}

export interface Job extends KubeObject {
  spec: JobSpec;
  status?: JobStatus;
}

/** Defaults of a Job's spec, also inside a CronJob. */
export function applyJobSpecDefaults(spec: JobSpec): void {
  if (spec.completions === undefined && spec.parallelism === undefined) spec.completions = 1;
  spec.parallelism ??= 1;
  spec.backoffLimit ??= 6;
  spec.completionMode ||= 'NonIndexed';
  spec.suspend ??= false;
  spec.podReplacementPolicy ||= 'TerminatingOrFailed';
  if (spec.template?.spec) applyPodSpecDefaults(spec.template.spec);
}

/** The selector of a Job is its own uid unless the user takes charge of it. */
function generateSelector(job: Job): void {
  const { uid, name } = job.metadata;
  if (job.spec.manualSelector || !uid || job.spec.selector) return;
  const labels = {
    'batch.kubernetes.io/controller-uid': uid,
    'batch.kubernetes.io/job-name': name ?? '',
    'controller-uid': uid,
    'job-name': name ?? '',
  };
  const metadata = (job.spec.template.metadata ??= {});
  metadata.labels = { ...metadata.labels, ...labels };
  job.spec.selector = { matchLabels: { 'batch.kubernetes.io/controller-uid': uid } };
}

const counts = [
  'parallelism',
  'completions',
  'backoffLimit',
  'activeDeadlineSeconds',
  'ttlSecondsAfterFinished',
] as const;

/** Field errors of a Job's spec at `path`. */
export function validateJobSpec(spec: JobSpec | undefined, path: string): FieldError[] {
  if (!spec) return [fieldError.required(`${path}.template`)];
  const errors: FieldError[] = [];
  for (const field of counts) {
    const value = spec[field];
    if (value !== undefined && value < 0)
      errors.push(fieldError.invalid(`${path}.${field}`, value, nonNegativeMessage));
  }
  errors.push(...validatePodTemplate(spec.template, `${path}.template`));
  const policy = spec.template?.spec?.restartPolicy;
  if (policy === 'Always') {
    errors.push(fieldError.required(`${path}.template.spec.restartPolicy`, 'valid values: "OnFailure", "Never"'));
  }
  return errors;
}

function statusText({ metadata, spec, status }: Job): string {
  const has = (type: string): boolean =>
    status?.conditions?.some((c) => c.type === type && c.status === 'True') ?? false;
  for (const type of ['Complete', 'Failed']) if (has(type)) return type;
  if (metadata.deletionTimestamp) return 'Terminating';
  if (has('Suspended') || spec.suspend) return 'Suspended';
  return has('FailureTarget') ? 'FailureTarget' : has('SuccessCriteriaMet') ? 'SuccessCriteriaMet' : 'Running';
}

function completionsText({ spec, status }: Job): string {
  const succeeded = status?.succeeded ?? 0;
  if (spec.completions !== undefined) return `${succeeded}/${spec.completions}`;
  const parallelism = spec.parallelism ?? 1;
  return parallelism > 1 ? `${succeeded}/1 of ${parallelism}` : `${succeeded}/1`;
}

function durationText({ status }: Job, now: number): string {
  if (!status?.startTime) return '';
  const end = status.completionTime ? Date.parse(status.completionTime) : now;
  return humanDuration(end - Date.parse(status.startTime));
}

export const jobKind = defineKind<Job>({
  group: 'batch',
  version: 'v1',
  kind: 'Job',
  plural: 'jobs',
  categories: ['all'],
  namespaced: true,
  schema: 'io.k8s.api.batch.v1.Job',
  hasStatus: true,
  hasGeneration: true,
  initialStatus: () => ({}),
  applyDefaults({ spec }) {
    if (spec) applyJobSpecDefaults(spec);
  },
  prepareForCreate: generateSelector,
  validate: ({ spec }) => validateJobSpec(spec, 'spec'),
  validateUpdate({ object, old }) {
    const errors: FieldError[] = [];
    for (const field of ['selector', 'completionMode', 'template'] as const) {
      // A suspended Job that never started may still change its template.
      if (field === 'template' && old.spec.suspend && !old.status?.startTime) continue;
      if (!jsonEqual(object.spec[field], old.spec[field])) {
        errors.push(fieldError.invalid(`spec.${field}`, object.spec[field], immutableMessage));
      }
    }
    return errors;
  },
  selectableFields: { 'status.successful': ({ status }) => String(status?.succeeded ?? 0) },
  columns: [
    { name: 'Status', type: 'string', description: 'What the Job is doing.', value: statusText },
    {
      name: 'Completions',
      type: 'string',
      description: 'Pods that ended well, of all wanted.',
      value: completionsText,
    },
    { name: 'Duration', type: 'string', description: 'From its start to its end, or to now.', value: durationText },
    ageColumn,
    ...templateColumns.map((column) => ({
      ...column,
      value: ({ metadata, spec }: Job, now: number) =>
        column.value({ metadata, spec: { template: spec.template, selector: spec.selector ?? {} } }, now),
    })),
  ],
});
