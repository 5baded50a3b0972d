import type { Job } from '#kinds/batch/v1/job.ts'
import { FAILURE_COUNT, IGNORED_FAILURE_COUNT, type NewPod, TRACKING } from './job.plan.ts'
import { COMPLETION_INDEX } from './job-indexes.ts'
import { type PodDraft, podFrom } from './runtime/pod-template.ts'

/** A pod of the job: it is tracked until counted, and an indexed one knows its index. */
export function jobPodFrom(job: Job, { index, failures, ignoredFailures }: NewPod): PodDraft {
  const pod = podFrom(job.spec.template, job)
  pod.metadata.finalizers = [...(pod.metadata.finalizers ?? []), TRACKING]
  if (index === undefined) return pod
  const name = job.metadata.name ?? ''
  pod.metadata.generateName = `${`${name}-${index}`.slice(0, 57)}-`
  pod.metadata.labels = { ...pod.metadata.labels, [COMPLETION_INDEX]: String(index) }
  pod.metadata.annotations = {
    ...pod.metadata.annotations,
    [COMPLETION_INDEX]: String(index),
    ...(job.spec.backoffLimitPerIndex === undefined ? {} : { [FAILURE_COUNT]: String(failures) }),
    ...(ignoredFailures > 0 ? { [IGNORED_FAILURE_COUNT]: String(ignoredFailures) } : {}),
  }
  if (!pod.spec.hostname) pod.spec.hostname = `${name}-${index}`.slice(0, 63)
  const fieldPath = `metadata.labels['${COMPLETION_INDEX}']`
  for (const container of [...pod.spec.containers, ...(pod.spec.initContainers ?? [])]) {
    if (container.env?.some(variable => variable.name === 'JOB_COMPLETION_INDEX')) continue
    container.env = [...(container.env ?? []), { name: 'JOB_COMPLETION_INDEX', valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath } } }]
  }
  return pod
}
