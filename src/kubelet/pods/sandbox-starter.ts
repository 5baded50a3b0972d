import type { Pod } from '#kinds/core/v1/pod.ts'
import type { SandboxStatus } from '../runtime/runtime.ts'
import { stopAll } from './container-stopper.ts'
import type { PodHost } from './pod-host.ts'
import type { PodState } from './pod-state.ts'
import type { PodSurroundings } from './pod-surroundings.ts'

/** Makes a sandbox, after what was left of the one before has been stopped. Undefined where that failed: an event says why. */
export async function startSandbox(
  host: PodHost,
  surroundings: PodSurroundings,
  pod: Pod,
  state: PodState,
  attempt: number,
): Promise<SandboxStatus | undefined> {
  const { runtime, events } = host
  if (state.sandboxes.length > 0) await clearAway(host, pod, state)
  try {
    if (pod.spec.hostUsers === false) throw new Error('the container runtime has no user namespaces, so hostUsers: false cannot be kept')
    const id = await runtime.runSandbox(await surroundings.sandboxConfig(pod, attempt))
    return await runtime.sandboxStatus(id)
  } catch (error) {
    events.warning(pod, 'FailedCreatePodSandBox', `Failed to create pod sandbox: ${(error as Error).message}`)
    return undefined
  }
}

/** Ends what runs in the sandboxes of before. Those with containers stay, for their logs. */
async function clearAway(host: PodHost, pod: Pod, state: PodState): Promise<void> {
  const { runtime, events } = host
  const { sandboxes, containers } = state
  if (containers.length > 0) events.normal(pod, 'SandboxChanged', 'Pod sandbox changed, it will be killed and re-created.')
  await stopAll(host, pod, state, pod.spec.terminationGracePeriodSeconds)
  for (const { id } of sandboxes) await runtime.stopSandbox(id)
  for (const { id } of sandboxes) if (!containers.some(({ sandboxId }) => sandboxId === id)) await runtime.removeSandbox(id)
}
