import type { Container } from '#kinds/core/v1/container.ts'
import type { ContainerState, ContainerStateTerminated, ContainerStatus } from '#kinds/core/v1/container-status.ts'
import type { EphemeralContainer } from '#kinds/core/v1/ephemeral-container.ts'
import { isSidecar } from '#kinds/core/v1/pod.facts.ts'
import type { ShallowDraft } from '#machinery/kind/draft.ts'
import { timeOf } from '#machinery/time/time.ts'
import { isRunning, type ObservedContainer } from './pod-state.ts'
import type { StatusFacts } from './pod-status.plan.ts'

export type ContainerKind = 'init' | 'regular' | 'ephemeral'

/** What the API shall say of one container. */
export function planContainerStatus(
  facts: StatusFacts,
  container: Container | EphemeralContainer,
  kind: ContainerKind,
  initialized: boolean,
): ContainerStatus {
  const all = facts.state.containers.filter(({ name }) => name === container.name)
  const [latest, previous] = all
  const old = facts.oldStatuses.get(container.name)
  const waiting = facts.waiting.get(container.name)
  const state = stateOf(facts, latest, old, waiting, kind, initialized)
  const lastState = lastStateOf(facts, latest, previous, old, state)
  const running = state.running !== undefined
  const started = startedOf(facts, container, kind, latest, running)
  const ready = readyOf(facts, container, kind, latest, state, started)
  const status: ShallowDraft<ContainerStatus> = {
    name: container.name,
    state,
    lastState,
    ready,
    restartCount: latest ? latest.attempt : (old?.restartCount ?? 0),
    image: latest?.image || old?.image || container.image || '',
    imageID: latest ? latest.imageRef : (old?.imageID ?? ''),
  }
  if (latest) status.containerID = facts.idOf(latest.id)
  else if (old?.containerID) status.containerID = old.containerID
  if (started !== undefined) status.started = started
  if (kind !== 'ephemeral' && container.volumeMounts?.length) status.volumeMounts = mountsOf(container.volumeMounts)
  return status
}

function stateOf(
  facts: StatusFacts,
  latest: ObservedContainer | undefined,
  old: ContainerStatus | undefined,
  waiting: { reason: string; message: string } | undefined,
  kind: ContainerKind,
  initialized: boolean,
): ContainerState {
  if (isRunning(latest)) return { running: { startedAt: timeOf(latest!.startedAtMs) } }
  if (waiting)
    return { waiting: waiting.message === '' ? { reason: waiting.reason } : { reason: waiting.reason, message: waiting.message } }
  if (latest?.state === 'exited') return { terminated: terminatedOf(facts, latest) }
  if (latest === undefined && facts.ended) {
    if (old?.state.terminated) return { terminated: old.state.terminated }
    if (old?.state.running) return { terminated: lost(old) }
  }
  return {
    waiting: { reason: kind === 'regular' && !initialized ? 'PodInitializing' : (facts.defaultReason ?? defaultReason(kind, facts)) },
  }
}

/** Init containers wait to be initialized themselves when the pod has more than one of them. */
function defaultReason(kind: ContainerKind, facts: StatusFacts): string {
  return kind === 'init' || (facts.pod.spec.initContainers?.length ?? 0) > 0 ? 'PodInitializing' : 'ContainerCreating'
}

/** The container ran when the runtime's memory of it was lost. */
function lost(old: ContainerStatus): ContainerStateTerminated {
  return {
    exitCode: 137,
    reason: 'ContainerStatusUnknown',
    message: 'The container could not be located when the pod was deleted.  The container used to be Running',
    startedAt: null,
    finishedAt: null,
    ...(old.containerID ? { containerID: old.containerID } : {}),
  }
}

function lastStateOf(
  facts: StatusFacts,
  latest: ObservedContainer | undefined,
  previous: ObservedContainer | undefined,
  old: ContainerStatus | undefined,
  state: ContainerState,
): ContainerState {
  if (state.waiting && latest?.state === 'exited') return { terminated: terminatedOf(facts, latest) }
  if (previous?.state === 'exited') return { terminated: terminatedOf(facts, previous) }
  if (latest && latest.attempt > 0 && old?.lastState.terminated) return old.lastState
  if (latest || !old || state.terminated) return old && !latest ? old.lastState : {}
  if (old.state.terminated) return { terminated: old.state.terminated }
  return old.state.running ? { terminated: lost(old) } : old.lastState
}

function terminatedOf(facts: StatusFacts, container: ObservedContainer): ContainerStateTerminated {
  const message = [container.message, facts.terminationMessages.get(container.id) ?? ''].filter(text => text !== '').join(': ')
  const reason = container.reason || (container.exitCode === 0 ? 'Completed' : 'Error')
  return {
    exitCode: container.exitCode,
    ...(reason === '' ? {} : { reason }),
    ...(message === '' ? {} : { message }),
    startedAt: container.startedAtMs > 0 ? timeOf(container.startedAtMs) : null,
    finishedAt: container.finishedAtMs > 0 ? timeOf(container.finishedAtMs) : null,
    containerID: facts.idOf(container.id),
  }
}

/** Whether its startup is over; ephemeral containers and init containers that run to an end never tell. */
function startedOf(
  facts: StatusFacts,
  container: Container | EphemeralContainer,
  kind: ContainerKind,
  latest: ObservedContainer | undefined,
  running: boolean,
): boolean | undefined {
  if (kind === 'ephemeral') return undefined
  if (kind === 'init' && !isSidecar(container as Container)) return running
  if (!running) return false
  return container.startupProbe === undefined || facts.probeResult(latest!.id, 'startup') === 'success'
}

function readyOf(
  facts: StatusFacts,
  container: Container | EphemeralContainer,
  kind: ContainerKind,
  latest: ObservedContainer | undefined,
  state: ContainerState,
  started: boolean | undefined,
): boolean {
  if (kind === 'ephemeral') return false
  if (kind === 'init' && !isSidecar(container as Container)) return state.terminated?.exitCode === 0
  if (!state.running || !started) return false
  return container.readinessProbe === undefined || facts.probeResult(latest!.id, 'readiness') === 'success'
}

function mountsOf(mounts: NonNullable<Container['volumeMounts']>): NonNullable<ContainerStatus['volumeMounts']> {
  return mounts.map(({ name, mountPath, readOnly }) =>
    readOnly ? { name, mountPath, readOnly, recursiveReadOnly: 'Disabled' as const } : { name, mountPath },
  )
}
