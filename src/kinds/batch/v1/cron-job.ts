import { equal } from '#machinery/kind/draft.ts'
import { defineKind, type ObjectWith } from '#machinery/kind/kind.ts'
import { ObjectMeta } from '#machinery/kind/object-meta.ts'
import {
  boolean,
  defaulted,
  embedded,
  int32,
  int64,
  list,
  message,
  omitempty,
  oneOf,
  optional,
  required,
  type StoredOf,
  string,
  time,
} from '#machinery/schema/schema.ts'
import { templateWarnings } from '../../apps/v1/deployment.rules.ts'
import { ObjectReference } from '../../core/v1/object-reference.ts'
import { ageColumn, containerColumns, NONE, nameColumn, selectorText, since } from '../../meta/v1/columns.ts'
import { validateCronJob, validateNewCronJob, validateSchedule } from './cron-job.rules.ts'
import { JobSpec } from './job-spec.ts'

export const JobTemplateSpec = message('io.k8s.api.batch.v1.JobTemplateSpec', {
  metadata: embedded(1, ObjectMeta, 'Labels and annotations of the jobs.'),
  spec: embedded(2, JobSpec, 'What the jobs are to be.'),
})
export interface JobTemplateSpec extends StoredOf<typeof JobTemplateSpec> {}

export const CronJobSpec = message('io.k8s.api.batch.v1.CronJobSpec', {
  schedule: required(1, string, 'When to run, as five fields.'),
  timeZone: optional(8, string, 'The time zone of the schedule.'),
  startingDeadlineSeconds: optional(2, int64, 'How late a run may start.'),
  concurrencyPolicy: defaulted(3, oneOf('Allow', 'Forbid', 'Replace'), 'Allow', 'What happens while an earlier run goes on.', 'value'),
  suspend: defaulted(4, boolean, false, 'Whether no more runs start.'),
  jobTemplate: required(5, JobTemplateSpec, 'What its jobs look like.'),
  successfulJobsHistoryLimit: defaulted(6, int32, 3, 'How many successful jobs are kept.'),
  failedJobsHistoryLimit: defaulted(7, int32, 1, 'How many failed jobs are kept.'),
})
export interface CronJobSpec extends StoredOf<typeof CronJobSpec> {}

export const CronJobStatus = message('io.k8s.api.batch.v1.CronJobStatus', {
  active: omitempty(1, list(ObjectReference), 'Jobs that run.'),
  lastScheduleTime: optional(4, time, 'When a job was last started.'),
  lastSuccessfulTime: optional(5, time, 'When a job last succeeded.'),
})
export interface CronJobStatus extends StoredOf<typeof CronJobStatus> {}

export interface CronJob extends ObjectWith<{ spec: CronJobSpec; status: CronJobStatus }> {}

export const CronJob = defineKind({
  documentation: 'Starts jobs by a schedule.',
  group: 'batch',
  version: 'v1',
  kind: 'CronJob',
  plural: 'cronjobs',
  scope: 'Namespaced',
  openapi: 'io.k8s.api.batch.v1',
  shortNames: ['cj'],
  categories: ['all'],
  subresources: [{ name: 'status', verbs: ['get', 'patch', 'update'] }],
  generation: true,
  spec: CronJobSpec,
  status: CronJobStatus,
  columns: [
    nameColumn,
    { name: 'Schedule', of: ({ spec }) => spec.schedule },
    { name: 'Timezone', of: ({ spec }) => spec.timeZone ?? NONE },
    { name: 'Suspend', type: 'boolean', of: ({ spec }) => (spec.suspend ? 'True' : 'False') },
    { name: 'Active', type: 'integer', of: ({ status }) => status.active?.length ?? 0 },
    { name: 'Last Schedule', of: ({ status }, { now }) => (status.lastScheduleTime ? since(status.lastScheduleTime, now) : NONE) },
    ageColumn,
    ...containerColumns<CronJob>(({ spec }) => spec.jobTemplate.spec.template.spec.containers),
    { name: 'Selector', priority: 1, of: ({ spec }) => selectorText(spec.jobTemplate.spec.selector) },
  ],
  prepareCreate(cronJob) {
    cronJob.status = {}
  },
  validate: validateCronJob,
  validateUpdate: (cronJob, old, errors, subresource) => {
    if (subresource === '') validateSchedule(cronJob.spec, old.spec, errors.at('spec').at('schedule'))
  },
  validateCreate: validateNewCronJob,
  warnings: ({ spec }, old) => [
    ...(spec.schedule.includes('TZ') && old
      ? [
          'CRON_TZ or TZ used in spec.schedule is not officially supported, see https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/ for more details',
        ]
      : []),
    ...(old && equal(old.spec.jobTemplate, spec.jobTemplate)
      ? []
      : templateWarnings(spec.jobTemplate.spec, 'spec.jobTemplate.spec.template.')),
  ],
})
