import type { Job, JobCondition } from './job.ts'

/** The condition that says how the job ended: Complete or Failed; undefined while it has not. */
export function finishOf(job: Job): JobCondition | undefined {
  return job.status.conditions?.find(({ type, status }) => (type === 'Complete' || type === 'Failed') && status === 'True')
}

export function isFinished(job: Job): boolean {
  return finishOf(job) !== undefined
}

export function isComplete(job: Job): boolean {
  return finishOf(job)?.type === 'Complete'
}

export function isFailed(job: Job): boolean {
  return finishOf(job)?.type === 'Failed'
}

/** Whether its pods are told apart by index. */
export function isIndexed(job: Job): boolean {
  return job.spec.completionMode === 'Indexed'
}
