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
import { gatedPodFields } from '../../core/v1/gated-pod-fields.ts'
import { ObjectReference } from '../../core/v1/object-reference.ts'
import { ageColumn, containerColumns, NONE, nameColumn, selectorText, since } from '../../meta/v1/columns.ts'
import { statusSubresource } from '../../meta/v1/subresources.ts'
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
  subresources: [statusSubresource],
  generation: true,
  spec: CronJobSpec,
  status: CronJobStatus,
  columns: [
    nameColumn,
    {
      name: 'Schedule',
      description: 'The schedule in Cron format, see https://en.wikipedia.org/wiki/Cron.',
      of: ({ spec }) => spec.schedule,
    },
    {
      name: 'Timezone',
      description:
        'The time zone name for the given schedule, see https://en.wikipedia.org/wiki/List_of_tz_database_time_zones. If not specified, this will default to the time zone of the kube-controller-manager process. The set of valid time zone names and the time zone offset is loaded from the system-wide time zone database by the API server during CronJob validation and the controller manager during execution. If no system-wide time zone database can be found a bundled version of the database is used instead. If the time zone name becomes invalid during the lifetime of a CronJob or due to a change in host configuration, the controller will stop creating new new Jobs and will create a system event with the reason UnknownTimeZone. More information can be found in https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/#time-zones',
      of: ({ spec }) => spec.timeZone ?? NONE,
    },
    {
      name: 'Suspend',
      description:
        'This flag tells the controller to suspend subsequent executions, it does not apply to already started executions.  Defaults to false.',
      type: 'boolean',
      of: ({ spec }) => (spec.suspend ? 'True' : 'False'),
    },
    {
      name: 'Active',
      description: 'A list of pointers to currently running jobs.',
      type: 'integer',
      of: ({ status }) => status.active?.length ?? 0,
    },
    {
      name: 'Last Schedule',
      description: 'Information when was the last time the job was successfully scheduled.',
      of: ({ status }, { now }) => (status.lastScheduleTime ? since(status.lastScheduleTime, now) : NONE),
    },
    ageColumn,
    ...containerColumns<CronJob>(({ spec }) => spec.jobTemplate.spec.template.spec.containers),
    {
      name: 'Selector',
      description:
        'A label query over pods that should match the pod count. Normally, the system sets this field for you. More info: https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors',
      priority: 1,
      of: ({ spec }) => selectorText(spec.jobTemplate.spec.selector),
    },
  ],
  gatedFields: gatedPodFields('spec.jobTemplate.spec.template.spec'),
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
