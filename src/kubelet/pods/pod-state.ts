import { type ContainerStatus, isRuntimeError, type Runtime, type SandboxStatus } from '../runtime/runtime.ts'

/** A container as the runtime reports it, and the sandbox it is in. */
export interface ObservedContainer extends ContainerStatus {
  readonly sandboxId: string
}

/** What the runtime has of a pod, newest first. */
export interface PodState {
  readonly sandboxes: readonly SandboxStatus[]
  readonly containers: readonly ObservedContainer[]
}

export const EMPTY_STATE: PodState = { sandboxes: [], containers: [] }

/** Asks the runtime what it has of a pod. What has ended does not change again and is taken from `before`. */
export async function observePod(runtime: Runtime, podUid: string, before: PodState): Promise<PodState> {
  const [sandboxes, containers] = await Promise.all([runtime.listSandboxes(podUid), runtime.listContainers(podUid)])
  const known = new Map(before.containers.map(container => [container.id, container]))
  const statuses = await Promise.all(
    containers.map(async ({ id, sandboxId, state }) => {
      const old = known.get(id)
      if (old?.state === 'exited' && state === 'exited') return old
      const status = await unlessGone(runtime.containerStatus(id))
      return status && { ...status, sandboxId }
    }),
  )
  const described = await Promise.all(sandboxes.map(({ id }) => unlessGone(runtime.sandboxStatus(id))))
  return {
    sandboxes: described.filter(sandbox => sandbox !== undefined).sort((a, b) => b.createdAtMs - a.createdAtMs),
    containers: statuses.filter(status => status !== undefined).sort((a, b) => b.createdAtMs - a.createdAtMs),
  }
}

async function unlessGone<T>(call: Promise<T>): Promise<T | undefined> {
  try {
    return await call
  } catch (error) {
    if (isRuntimeError(error, 'NotFound')) return undefined
    throw error
  }
}

/** The pod's newest container of that name, in whichever sandbox. */
export function latestOf(state: PodState, containerName: string): ObservedContainer | undefined {
  return state.containers.find(container => container.name === containerName)
}

/** The sandbox that the pod runs in, if it is up. */
export function readySandboxOf(state: PodState): SandboxStatus | undefined {
  const newest = state.sandboxes[0]
  return newest?.ready ? newest : undefined
}

export function isRunning(container: ObservedContainer | undefined): boolean {
  return container?.state === 'running'
}
