import type { ContainerStatus } from '#kinds/core/v1/container-status.ts'
import { isSidecar, type PodPhase, podCondition, qosClassOf } from '#kinds/core/v1/pod.facts.ts'
import type { Pod } from '#kinds/core/v1/pod.ts'
import type { PodCondition, PodStatus } from '#kinds/core/v1/pod-status.ts'
import type { ShallowDraft } from '#machinery/kind/draft.ts'
import { timeOf } from '#machinery/time/time.ts'
import type { ProbeKind, ProbeResult } from '../probes/probe-results.ts'
import { planContainerStatus } from './container-status.plan.ts'
import type { Waiting } from './pod.plan.ts'
import { type PodState, readySandboxOf } from './pod-state.ts'

/** All that a pod's status depends on. */
export interface StatusFacts {
  readonly pod: Pod
  readonly state: PodState
  readonly now: number
  /** What was last said of each container, by name: for what the runtime has forgotten. */
  readonly oldStatuses: ReadonlyMap<string, ContainerStatus>
  /** Why containers that do not run do not. */
  readonly waiting: ReadonlyMap<string, Waiting>
  readonly defaultReason?: string
  readonly probeResult: (containerId: string, probe: ProbeKind) => ProbeResult | undefined
  /** What ended containers left as their last words, by container id. */
  readonly terminationMessages: ReadonlyMap<string, string>
  /** `containerd://<id>` */
  readonly idOf: (containerId: string) => string
  readonly nodeIPs: readonly string[]
  /** The pod is at its end, whatever the containers' states would say: evicted, refused, past its deadline. */
  readonly failure?: { readonly reason: string; readonly message: string } | undefined
  /** Nothing of the pod runs any more, and nothing will be started. */
  readonly ended: boolean
}

/** What the API shall say of the pod. */
export function planStatus(facts: StatusFacts): PodStatus {
  const { pod, state, nodeIPs } = facts
  const generation = pod.metadata.generation
  const inits = pod.spec.initContainers ?? []
  const initStatuses: ContainerStatus[] = []
  let initialized = true
  for (const container of inits) {
    const status = planContainerStatus(facts, container, 'init', initialized)
    initStatuses.push(status)
    if (!isSidecar(container) && status.state.terminated?.exitCode !== 0) initialized = false
    if (isSidecar(container) && status.started !== true && !facts.ended) initialized = false
  }
  const statuses = pod.spec.containers.map(container => planContainerStatus(facts, container, 'regular', initialized))
  const ephemeral = (pod.spec.ephemeralContainers ?? []).map(container => planContainerStatus(facts, container, 'ephemeral', initialized))
  const phase = facts.failure ? 'Failed' : phaseOf(pod, initStatuses, statuses, facts.ended)
  const ips = pod.spec.hostNetwork ? nodeIPs : (readySandboxOf(state)?.ips ?? [])
  // Hot: bench/loops — an object that is put together of many others, most of them empty, takes several times the room and the time.
  const status: ShallowDraft<PodStatus> = {
    phase,
    conditions: planConditions(facts, phase, initStatuses, statuses, ips.length > 0),
    startTime: pod.status.startTime ?? timeOf(facts.now),
    containerStatuses: statuses,
    qosClass: pod.status.qosClass ?? qosClassOf(pod),
  }
  if (generation) status.observedGeneration = generation
  if (facts.failure) {
    status.reason = facts.failure.reason
    status.message = facts.failure.message
  }
  if (pod.status.nominatedNodeName) status.nominatedNodeName = pod.status.nominatedNodeName
  if (nodeIPs.length > 0) {
    status.hostIP = nodeIPs[0]!
    status.hostIPs = nodeIPs.map(ip => ({ ip }))
  }
  if (ips.length > 0) {
    status.podIP = ips[0]!
    status.podIPs = ips.map(ip => ({ ip }))
  }
  if (initStatuses.length > 0) status.initContainerStatuses = initStatuses
  if (ephemeral.length > 0) status.ephemeralContainerStatuses = ephemeral
  return status
}

/** The one word for where the pod is in its life. */
export function phaseOf(
  pod: Pod,
  initStatuses: readonly ContainerStatus[],
  statuses: readonly ContainerStatus[],
  ended: boolean,
): PodPhase {
  const counts = { waiting: 0, running: 0, stopped: 0, succeeded: 0 }
  for (const { state, lastState } of statuses) {
    if (state.running) counts.running++
    else if (state.terminated || lastState.terminated) {
      counts.stopped++
      if (state.terminated?.exitCode === 0) counts.succeeded++
    } else counts.waiting++
  }
  const pending = initStatuses.filter((status, index) => {
    if (isSidecar(pod.spec.initContainers![index]!)) return status.started !== true && counts.running + counts.stopped === 0
    return status.state.terminated?.exitCode !== 0
  })
  const failedInit = pending.some(({ state, lastState }) => ((state.terminated ?? lastState.terminated)?.exitCode ?? 0) !== 0)
  if (failedInit && (pod.spec.restartPolicy === 'Never' || ended)) return 'Failed'
  if (ended) return counts.succeeded === statuses.length ? 'Succeeded' : 'Failed'
  if (pending.length > 0 && counts.running === 0) return 'Pending'
  if (counts.waiting > 0) return 'Pending'
  if (counts.running > 0) return 'Running'
  if (pod.spec.restartPolicy === 'Always') return 'Running'
  if (counts.stopped === counts.succeeded) return 'Succeeded'
  return pod.spec.restartPolicy === 'Never' ? 'Failed' : 'Running'
}

type Verdict = Pick<PodCondition, 'type' | 'status'> & { reason?: string; message?: string }

function planConditions(
  facts: StatusFacts,
  phase: PodPhase,
  initStatuses: readonly ContainerStatus[],
  statuses: readonly ContainerStatus[],
  hasNetwork: boolean,
): PodCondition[] {
  const { pod, state, now } = facts
  const containersReady = containersReadyOf(pod, phase, initStatuses, statuses)
  const verdicts: Verdict[] = [
    { type: 'PodReadyToStartContainers', status: readySandboxOf(state) && (hasNetwork || pod.spec.hostNetwork) ? 'True' : 'False' },
    initializedOf(pod, phase, initStatuses),
    readyOf(pod, containersReady),
    containersReady,
    { type: 'PodScheduled', status: 'True' },
  ]
  const ours = verdicts.map(verdict => stamped(pod, verdict, now))
  const foreign = (pod.status.conditions ?? []).filter(({ type }) => !verdicts.some(verdict => verdict.type === type))
  return [...ours, ...foreign]
}

function stamped(pod: Pod, verdict: Verdict, now: number): PodCondition {
  const old = podCondition(pod, verdict.type)
  const { type, status, reason, message } = verdict
  const lastTransitionTime = old?.status === status && old.lastTransitionTime ? old.lastTransitionTime : timeOf(now)
  const condition: ShallowDraft<PodCondition> = { type, status, lastProbeTime: null, lastTransitionTime }
  const { generation } = pod.metadata
  if (generation) condition.observedGeneration = generation
  if (reason !== undefined) condition.reason = reason
  if (message !== undefined) condition.message = message
  return condition
}

function initializedOf(pod: Pod, phase: PodPhase, initStatuses: readonly ContainerStatus[]): Verdict {
  const type = 'Initialized'
  if (phase === 'Succeeded') return { type, status: 'True', reason: 'PodCompleted' }
  const incomplete = initStatuses.filter((status, index) => {
    const sidecar = isSidecar(pod.spec.initContainers![index]!)
    return sidecar ? status.started !== true && !status.state.terminated : !status.ready
  })
  if (incomplete.length === 0) return { type, status: 'True' }
  const message = `containers with incomplete status: [${incomplete.map(({ name }) => name).join(' ')}]`
  return { type, status: 'False', reason: 'ContainersNotInitialized', message }
}

function containersReadyOf(
  pod: Pod,
  phase: PodPhase,
  initStatuses: readonly ContainerStatus[],
  statuses: readonly ContainerStatus[],
): Verdict {
  const type = 'ContainersReady'
  if (phase === 'Succeeded') return { type, status: 'False', reason: 'PodCompleted' }
  if (phase === 'Failed') return { type, status: 'False', reason: 'PodFailed' }
  const sidecars = initStatuses.filter((_, index) => isSidecar(pod.spec.initContainers![index]!))
  const unready = [...sidecars, ...statuses].filter(({ ready }) => !ready)
  if (unready.length === 0) return { type, status: 'True' }
  return {
    type,
    status: 'False',
    reason: 'ContainersNotReady',
    message: `containers with unready status: [${unready.map(({ name }) => name).join(' ')}]`,
  }
}

function readyOf(pod: Pod, containersReady: Verdict): Verdict {
  if (containersReady.status !== 'True') return { ...containersReady, type: 'Ready' }
  const missing: string[] = []
  for (const { conditionType } of pod.spec.readinessGates ?? []) {
    const condition = podCondition(pod, conditionType)
    if (condition === undefined) missing.push(`corresponding condition of pod readiness gate "${conditionType}" does not exist.`)
    else if (condition.status !== 'True')
      missing.push(`the status of pod readiness gate "${conditionType}" is not "True", but ${condition.status}`)
  }
  if (missing.length === 0) return { type: 'Ready', status: 'True' }
  return { type: 'Ready', status: 'False', reason: 'ReadinessGatesNotReady', message: missing.join(', ') }
}
