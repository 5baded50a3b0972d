import { Pod } from '#kinds/core/v1/pod.ts'
import { isNotFound } from '#machinery/status/status-error.ts'
import { timeOf } from '#machinery/time/time.ts'
import type { Tools } from './define-controller.ts'

/** Why a pod has to go: the event that tells of it, and the reason and message of its DisruptionTarget condition. */
export interface Eviction {
  readonly event: string
  readonly reason: string
  readonly message: string
}

/** Marks a pod as disrupted and deletes it. One that is gone already is no failure. */
export async function evictPod(pod: Pod, { event, reason, message }: Eviction, { client, events, now }: Tools): Promise<void> {
  const { namespace, name, uid } = pod.metadata
  events.record(pod, 'Normal', event, `Marking for deletion Pod ${namespace}/${name}`)
  const type = 'DisruptionTarget'
  const at = timeOf(now)
  const condition = { type, status: 'True' as const, reason, message, lastProbeTime: null, lastTransitionTime: at }
  const conditions = [...(pod.status.conditions ?? []).filter(one => one.type !== type), condition]
  try {
    await client.updateStatus(Pod, { ...pod, status: { ...pod.status, conditions } })
    await client.delete(Pod, pod, { preconditions: { uid } })
  } catch (error) {
    if (!isNotFound(error)) throw error
  }
}
