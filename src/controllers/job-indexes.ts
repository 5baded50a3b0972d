import type { Job } from '#kinds/batch/v1/job.ts'
import type { Pod } from '#kinds/core/v1/pod.ts'

export const COMPLETION_INDEX = 'batch.kubernetes.io/job-completion-index'

/** The index of the pod among its job's; undefined if it carries none. */
export function indexOf(pod: Pod): number | undefined {
  const text = pod.metadata.annotations?.[COMPLETION_INDEX]
  return text !== undefined && /^(0|[1-9][0-9]{0,9})$/.test(text) ? Number(text) : undefined
}

/** The same if it lies within the job's completions. */
export function validIndexOf(job: Job, pod: Pod): number | undefined {
  const index = indexOf(pod)
  return index !== undefined && index < (job.spec.completions ?? 0) ? index : undefined
}

/** Reads `1,3-5`. What lies beyond `completions` is left out, as they may have been reduced. */
export function parseIndexes(text: string | undefined, completions: number): Set<number> {
  const indexes = new Set<number>()
  for (const part of (text ?? '').split(',')) {
    const match = /^([0-9]{1,10})(?:-([0-9]{1,10}))?$/.exec(part)
    if (!match) continue
    const last = Math.min(Number(match[2] ?? match[1]), completions - 1)
    for (let index = Number(match[1]); index <= last; index++) indexes.add(index)
  }
  return indexes
}

/** Writes `1,3-5`. */
export function formatIndexes(indexes: ReadonlySet<number>): string {
  const sorted = [...indexes].sort((a, b) => a - b)
  const parts: string[] = []
  for (let at = 0; at < sorted.length; ) {
    let end = at
    while (end + 1 < sorted.length && sorted[end + 1] === sorted[end]! + 1) end++
    parts.push(end === at ? `${sorted[at]}` : end === at + 1 ? `${sorted[at]},${sorted[end]}` : `${sorted[at]}-${sorted[end]}`)
    at = end + 1
  }
  return parts.join(',')
}
