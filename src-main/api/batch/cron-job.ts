// batch/v1 CronJob. The schedule's syntax is checked by its form only; the controller that runs it parses it.

import { templateColumns } from '../apps/workload';
import type { ObjectReference, PodObjectMeta } from '../core/types';
import { ageColumn, defineKind } from '../define-kind';
import { ageOf } from '../duration';
import type { FieldError } from '../field-error';
import { fieldError } from '../field-error';
import type { KubeObject } from '../meta';
import type { JobSpec } from './job';
import { applyJobSpecDefaults, validateJobSpec } from './job';

export interface CronJob extends KubeObject {
  spec: {
    schedule: string;
    timeZone?: string;
    concurrencyPolicy?: string;
    suspend?: boolean;
    startingDeadlineSeconds?: number;
    successfulJobsHistoryLimit?: number;
    failedJobsHistoryLimit?: number;
    jobTemplate: { metadata?: PodObjectMeta; spec: JobSpec };
  };
  status?: { active?: ObjectReference[]; lastScheduleTime?: string; lastSuccessfulTime?: string };
}

const policies = ['Allow', 'Forbid', 'Replace'];
const descriptors = /^@(yearly|annually|monthly|weekly|daily|midnight|hourly|every \S+)$/;

function validate({ spec }: CronJob): FieldError[] {
  if (!spec) return [fieldError.required('spec.schedule')];
  const errors: FieldError[] = [];
  const schedule = spec.schedule ?? '';
  if (schedule === '') errors.push(fieldError.required('spec.schedule'));
  else if (/TZ/.test(schedule)) {
    const message = 'cannot use TZ or CRON_TZ in schedule, use timeZone field instead';
    errors.push(fieldError.invalid('spec.schedule', schedule, message));
  } else if (!descriptors.test(schedule)) {
    const count = schedule.trim().split(/\s+/).length;
    if (count !== 5) {
      const message = `expected exactly 5 fields, found ${count}: [${schedule.trim().split(/\s+/).join(' ')}]`;
      errors.push(fieldError.invalid('spec.schedule', schedule, message));
    }
  }
  if (!policies.includes(spec.concurrencyPolicy ?? '')) {
    errors.push(fieldError.notSupported('spec.concurrencyPolicy', spec.concurrencyPolicy, policies));
  }
  return [...errors, ...validateJobSpec(spec.jobTemplate?.spec, 'spec.jobTemplate.spec')];
}

export const cronJobKind = defineKind<CronJob>({
  group: 'batch',
  version: 'v1',
  kind: 'CronJob',
  plural: 'cronjobs',
  shortNames: ['cj'],
  categories: ['all'],
  namespaced: true,
  schema: 'io.k8s.api.batch.v1.CronJob',
  hasStatus: true,
  hasGeneration: true,
  initialStatus: () => ({}),
  applyDefaults({ spec }) {
    if (!spec) return;
    spec.concurrencyPolicy ||= 'Allow';
    spec.suspend ??= false;
    spec.successfulJobsHistoryLimit ??= 3;
    spec.failedJobsHistoryLimit ??= 1;
    if (spec.jobTemplate?.spec) applyJobSpecDefaults(spec.jobTemplate.spec);
  },
  validate,
  columns: [
    { name: 'Schedule', type: 'string', description: 'When it runs.', value: ({ spec }) => spec.schedule ?? '' },
    {
      name: 'Timezone',
      type: 'string',
      description: 'Where the schedule is read.',
      value: ({ spec }) => spec.timeZone || '<none>',
    },
    {
      name: 'Suspend',
      type: 'string',
      description: 'Whether it starts no more Jobs.',
      value: ({ spec }) => (spec.suspend ? 'True' : 'False'),
    },
    {
      name: 'Active',
      type: 'integer',
      description: 'Jobs running.',
      value: ({ status }) => status?.active?.length ?? 0,
    },
    {
      name: 'Last Schedule',
      type: 'string',
      description: 'Time since it last started a Job.',
      value: ({ status }, now) => (status?.lastScheduleTime ? ageOf(status.lastScheduleTime, now) : '<none>'),
    },
    ageColumn,
    ...templateColumns.map((column) => ({
      ...column,
      value: ({ metadata, spec }: CronJob, now: number) => {
        const { template = { spec: { containers: [] } }, selector = {} } = spec.jobTemplate?.spec ?? {};
        return column.value({ metadata, spec: { template, selector } }, now);
      },
    })),
  ],
});
