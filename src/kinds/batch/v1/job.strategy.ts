import type { Mutable } from '#machinery/kind/kind.ts'
import type { Job } from './job.ts'

/** What holds for a job but not for the template of one. */
export function applyJobDefaults({ metadata, spec }: Mutable<Job>): void {
  if (spec.completions === undefined && spec.parallelism === undefined) spec.completions = 1
  spec.parallelism ??= 1
  spec.backoffLimit ??= spec.backoffLimitPerIndex === undefined ? 6 : 2147483647
  spec.completionMode ??= 'NonIndexed'
  spec.suspend ??= false
  spec.manualSelector ??= false
  spec.podReplacementPolicy ??= spec.podFailurePolicy ? 'Failed' : 'TerminatingOrFailed'
  const { labels } = spec.template.metadata
  if (labels) metadata.labels ??= { ...labels }
}

/** Its pods are told from others' by the job's uid, unless it brings a selector of its own. */
export function prepareJob(job: Mutable<Job>): void {
  const { metadata, spec } = job
  job.status = {}
  if (spec.manualSelector) return
  const { uid = '', name = '' } = metadata
  const own = { 'controller-uid': uid, 'job-name': name, 'batch.kubernetes.io/controller-uid': uid, 'batch.kubernetes.io/job-name': name }
  const isShared = metadata.labels === undefined || sameLabels(metadata.labels, spec.template.metadata.labels)
  spec.template.metadata.labels = { ...own, ...spec.template.metadata.labels }
  if (isShared) metadata.labels = { ...spec.template.metadata.labels }
  spec.selector ??= {}
  spec.selector.matchLabels = { 'batch.kubernetes.io/controller-uid': uid, ...spec.selector.matchLabels }
}

/** Labels that the job took over from its template take over the generated ones as well. */
function sameLabels(left: Readonly<Record<string, string>>, right: Readonly<Record<string, string>> | undefined): boolean {
  const names = Object.keys(left)
  return right !== undefined && names.length === Object.keys(right).length && names.every(name => left[name] === right[name])
}
