import { Pod } from '#kinds/core/v1/pod.ts'
import type { ApiObject } from '#machinery/kind/kind.ts'
import { hasCause, isNotFound } from '#machinery/status/status-error.ts'
import type { Tools } from './define-controller.ts'
import type { PodDraft } from './pod-template.ts'
import { textOfError } from './text-of-error.ts'

/** Creates a pod on behalf of `owner`, whose events tell of it. */
export async function createPod(pod: PodDraft, owner: ApiObject, { client, events }: Tools): Promise<Pod> {
  try {
    const created = await client.create(Pod, pod)
    events.record(owner, 'Normal', 'SuccessfulCreate', `Created pod: ${created.metadata.name}`)
    return created
  } catch (error) {
    // In a namespace that goes away nothing can be created, and no event can tell of it.
    if (!hasCause(error, 'NamespaceTerminating')) events.record(owner, 'Warning', 'FailedCreate', `Error creating: ${textOfError(error)}`)
    throw error
  }
}

/** Deletes a pod on behalf of `owner`, whose events tell of it. A pod that is gone already is no failure. */
export async function deletePod(pod: Pod, owner: ApiObject, { client, events }: Tools): Promise<void> {
  try {
    await client.delete(Pod, pod, { preconditions: { uid: pod.metadata.uid } })
    events.record(owner, 'Normal', 'SuccessfulDelete', `Deleted pod: ${pod.metadata.name}`)
  } catch (error) {
    if (isNotFound(error)) return
    events.record(owner, 'Warning', 'FailedDelete', `Error deleting: ${textOfError(error)}`)
    throw error
  }
}
