import { join } from 'node:path'
import type { Pod } from '#kinds/core/v1/pod.ts'
import { namespaceOf, podNameOf, uidOf } from './pod-names.ts'

/** Where a pod's logs are, as upstream lays them out. */
export function podLogDirectory(logsDirectory: string, pod: Pod): string {
  return join(logsDirectory, `${namespaceOf(pod)}_${podNameOf(pod)}_${uidOf(pod)}`)
}

export function containerLogFile(logsDirectory: string, pod: Pod, containerName: string, attempt: number): string {
  return join(podLogDirectory(logsDirectory, pod), containerName, `${attempt}.log`)
}

/** The file behind a container's termination message path; a new one for each start. */
export function terminationLogFile(podDirectory: string, containerName: string, attempt: number): string {
  return join(podDirectory, 'containers', containerName, String(attempt))
}
