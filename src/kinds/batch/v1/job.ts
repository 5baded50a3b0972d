import { equal } from '#machinery/kind/draft.ts'
import { defineKind, type ObjectWith } from '#machinery/kind/kind.ts'
import {
  embedded,
  int32,
  list,
  listSet,
  message,
  omitempty,
  optional,
  required,
  type StoredOf,
  string,
  time,
} from '#machinery/schema/schema.ts'
import { templateWarnings } from '../../apps/v1/deployment.rules.ts'
import { gatedPodFields } from '../../core/v1/gated-pod-fields.ts'
import { ageColumn, containerColumns, nameColumn, selectorText } from '../../meta/v1/columns.ts'
import { ConditionStatus } from '../../meta/v1/condition-status.ts'
import { humanDuration } from '../../meta/v1/human-duration.ts'
import { statusSubresource } from '../../meta/v1/subresources.ts'
import { timeOrNull } from '../../meta/v1/time-or-null.ts'
import { validateJob, validateJobUpdate } from './job.rules.ts'
import { applyJobDefaults, prepareJob } from './job.strategy.ts'
import { JobSpec } from './job-spec.ts'

export const JobCondition = message('io.k8s.api.batch.v1.JobCondition', {
  type: required(1, string, 'What this is about: Complete, Failed, Suspended and so on.'),
  status: required(2, ConditionStatus, 'Whether it holds.'),
  lastProbeTime: embedded(3, timeOrNull, 'When this was last checked.'),
  lastTransitionTime: embedded(4, timeOrNull, 'When the status last changed.'),
  reason: omitempty(5, string, 'What happened, in one word.'),
  message: omitempty(6, string, 'What happened, for people.'),
})
export interface JobCondition extends StoredOf<typeof JobCondition> {}

export const UncountedTerminatedPods = message('io.k8s.api.batch.v1.UncountedTerminatedPods', {
  succeeded: omitempty(1, listSet(string), 'Pods that succeeded.'),
  failed: omitempty(2, listSet(string), 'Pods that failed.'),
})
export interface UncountedTerminatedPods extends StoredOf<typeof UncountedTerminatedPods> {}

export const JobStatus = message('io.k8s.api.batch.v1.JobStatus', {
  conditions: omitempty(
    1,
    list(JobCondition, { patchStrategy: 'merge', patchMergeKey: 'type' }),
    'What holds of the object right now, one entry per aspect.',
  ),
  startTime: optional(2, time, 'When the job was taken up.'),
  completionTime: optional(3, time, 'When the job succeeded.'),
  active: omitempty(4, int32, 'How many pods run.'),
  succeeded: omitempty(5, int32, 'How many pods have succeeded.'),
  failed: omitempty(6, int32, 'How many pods have failed.'),
  terminating: optional(11, int32, 'How many pods are on their way out.'),
  completedIndexes: omitempty(7, string, 'Which indexes have succeeded.'),
  failedIndexes: optional(10, string, 'Which indexes have failed.'),
  uncountedTerminatedPods: optional(8, UncountedTerminatedPods, 'Pods that ended and were not counted yet.'),
  ready: optional(9, int32, 'How many pods are ready.'),
})
export interface JobStatus extends StoredOf<typeof JobStatus> {}

export interface Job extends ObjectWith<{ spec: JobSpec; status: JobStatus }> {}

export const Job = defineKind({
  documentation: 'Runs pods until enough of them have succeeded.',
  group: 'batch',
  version: 'v1',
  kind: 'Job',
  plural: 'jobs',
  scope: 'Namespaced',
  openapi: 'io.k8s.api.batch.v1',
  categories: ['all'],
  subresources: [statusSubresource],
  generation: true,
  defaultPropagation: 'Orphan',
  spec: JobSpec,
  status: JobStatus,
  columns: [
    nameColumn,
    { name: 'Status', description: 'Status of the job.', of: statusText },
    {
      name: 'Completions',
      description:
        'The number of pods which reached phase Succeeded. The value increases monotonically for a given spec. However, it may decrease in reaction to scale down of elastic indexed jobs.',
      of: completionsText,
    },
    { name: 'Duration', description: 'Time required to complete the job.', of: ({ status }, { now }) => durationText(status, now) },
    ageColumn,
    ...containerColumns<Job>(({ spec }) => spec.template.spec.containers),
    {
      name: 'Selector',
      description:
        'A label query over pods that should match the pod count. Normally, the system sets this field for you. More info: https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors',
      priority: 1,
      of: ({ spec }) => selectorText(spec.selector),
    },
  ],
  applyDefaults: applyJobDefaults,
  gatedFields: gatedPodFields('spec.template.spec'),
  prepareCreate: prepareJob,
  validate: validateJob,
  validateUpdate: validateJobUpdate,
  warnings: ({ spec }, old) => (old && equal(old.spec.template, spec.template) ? [] : templateWarnings(spec)),
  selectableFields: { 'status.successful': ({ status }) => `${status.succeeded ?? 0}` },
})

function statusText({ metadata, status }: Job): string {
  const has = (type: string) => status.conditions?.some(condition => condition.type === type && condition.status === 'True')
  if (has('Complete')) return 'Complete'
  if (has('Failed')) return 'Failed'
  if (metadata.deletionTimestamp) return 'Terminating'
  return ['Suspended', 'FailureTarget', 'SuccessCriteriaMet'].find(has) ?? 'Running'
}

function completionsText({ spec, status }: Job): string {
  const succeeded = status.succeeded ?? 0
  if (spec.completions !== undefined) return `${succeeded}/${spec.completions}`
  const parallelism = spec.parallelism ?? 0
  return parallelism > 1 ? `${succeeded}/1 of ${parallelism}` : `${succeeded}/1`
}

function durationText({ startTime, completionTime }: JobStatus, now: number): string {
  if (!startTime) return ''
  return humanDuration((completionTime ? Date.parse(completionTime) : now) - Date.parse(startTime))
}
